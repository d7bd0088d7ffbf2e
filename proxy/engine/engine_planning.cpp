// From dirty Services to what is desired: the engine's part in it, one Service after the other.
#include <algorithm>
#include <iterator>
#include <utility>

#include "proxy/engine/engine.hpp"
#include "proxy/plan/endpoint_addresses.hpp"
#include "proxy/plan/request.hpp"

namespace proxy {
namespace {

/// How much a plan is, to be compared with others: its objects, and something for having been looked at.
std::size_t size_of(const ServicePlan& plan) {
    std::size_t size = 8 + plan.virtual_servers.size() + plan.elements.size();
    for (const PlannedServer& planned : plan.virtual_servers)
        size += planned.state.real_servers.size();
    return size;
}

bool takes_connections(const netlink::VirtualServerState& state) {
    return std::any_of(state.real_servers.begin(), state.real_servers.end(),
                       [](const auto& real) { return real.second > 0; });
}

}  // namespace

void Engine::plan_node_if_dirty() {
    if (std::exchange(node_dirty_, false))
        desired_.replace({}, plan_node(facts_));
}

/// Those that another one's plan has given or taken a front end, or room, or whose external addresses have become a
/// ClusterIP, or are none any more. It ends, because a front end only ever goes
/// to a claim that goes before, and what a Service wants does not depend on what it has.
std::set<api::ObjectName> Engine::take_unsettled() {
    auto names = desired_.take_unsettled();
    names.merge(budget_.take_changed());
    names.merge(addresses_.take_affected());
    return names;
}

std::size_t Engine::plan_dirty(const std::function<bool(const api::ObjectName&)>& wanted) {
    plan_node_if_dirty();
    std::vector<api::ObjectName> now;
    for (const api::ObjectName& name : dirty_)
        if (!wanted || wanted(name))
            now.push_back(name);
    for (const api::ObjectName& name : now) {
        plan_service(name);
        dirty_.erase(name);
    }
    for (auto names = take_unsettled(); !names.empty(); names = take_unsettled())
        for (const api::ObjectName& name : names)
            plan_service(name);
    if (dirty_.empty())
        ended_.clear();
    return now.size();
}

bool Engine::plan_slice(std::size_t most) {
    plan_node_if_dirty();
    if (round_.empty())
        round_ = std::exchange(dirty_, {});
    for (std::size_t made = 0; made < most && !round_.empty();) {
        made += plan_service(round_.extract(round_.begin()).value());
        round_.merge(take_unsettled());
    }
    desired_.end_slice();
    if (round_.empty() && dirty_.empty())
        ended_.clear();
    return !round_.empty();
}

void Engine::forget_service(const api::ObjectName& name) {
    desired_.remove(name);
    marks_.keep(name, {});
    health_ports_.remove(name);
    terminating_.erase(name);
    slow_start_.forget(name);
    budget_.release(name);
    without_backends_.erase(name);
    addresses_.remove(name, facts_.own_addresses);
    plan_problems_.put(name, {});
}

std::size_t Engine::plan_service(const api::ObjectName& name) {
    ++plans_;
    gaps_.erase(name);
    without_ipv6_.erase(name);
    const auto found = store_.services().find(name);
    const auto before = draining_.empty() ? std::vector<netlink::VirtualServer>{} : desired_.servers_of(name);
    if (found == store_.services().end()) {
        forget_service(name);
        forget_draining(before);
        return 1 + before.size();
    }
    auto endpoints = api::endpoints_of(
        *found, store_, [this](const api::Pod& pod) { return readiness(pod); }, config_.node_name,
        budget_.most_endpoints());
    std::vector<std::string> problems =
        note_addresses(*found, endpoints, {facts_.claims, facts_.own_addresses, addresses_}, addresses_);
    const Age age{found->created, transactions_};
    const Request request = request_of(*found, facts_, addresses_, budget_.most_front_ends());
    Budget::Grant grant = budget_.grant(*found, request, endpoints, age);
    ServicePlan service_plan = plan(*found, request, endpoints, facts_, verdicts(), grant.front_ends);
    std::move(grant.problems.begin(), grant.problems.end(), std::back_inserter(service_plan.problems));
    std::move(problems.begin(), problems.end(), std::back_inserter(service_plan.problems));
    plan_problems_.put(name, std::move(service_plan.problems));
    if (!service_plan.gaps.empty())
        gaps_[name] = std::move(service_plan.gaps);
    if (service_plan.without_ipv6)
        without_ipv6_.insert(name);
    slow_start_.weigh(name, service_plan, inputs_.weight_of);
    keep_draining(name, endpoints, age, service_plan);
    marks_.keep(name, service_plan.marks);
    const std::size_t size = size_of(service_plan);
    desired_.replace(name, std::move(service_plan), age);
    forget_draining(before);
    note_backends(name);
    health_ports_.put(*found, endpoints, carried());
    return size;
}

void Engine::note_backends(const api::ObjectName& name) {
    const auto servers = desired_.servers_of(name);
    if (!servers.empty() && std::none_of(servers.begin(), servers.end(), [this](const netlink::VirtualServer& server) {
            return takes_connections(*desired_.find(server));
        }))
        without_backends_.insert(name);
    else
        without_backends_.erase(name);
}

HealthPorts::Carried Engine::carried() const {
    return [this](const api::ObjectName& service, const std::set<netlink::RealServer>& asked) {
        std::map<netlink::RealServer, bool> reached;
        std::size_t carried = 0;
        for (const netlink::VirtualServer& server : desired_.servers_of(service)) {
            if (carried == asked.size())
                break;
            for (const auto& [real, weight] : desired_.find(server)->real_servers) {
                if (weight == 0 || !asked.contains(real))
                    continue;
                bool& carries = reached[real];
                if (carries || inputs_.weight_of(server, real).value_or(0) <= 0)
                    continue;
                carries = true;
                ++carried;
            }
        }
        return reached;
    };
}

bool Engine::settle_health_ports(bool refused, std::size_t most) {
    return health_ports_.settle(carried(), refused, most);
}

}  // namespace proxy
