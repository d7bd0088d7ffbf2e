// From dirty Services to what is desired: the engine's part in it, one Service after the other.
#include <algorithm>
#include <iterator>
#include <utility>

#include "proxy/engine/engine.hpp"
#include "proxy/engine/probes.hpp"
#include "proxy/plan/endpoint_addresses.hpp"
#include "proxy/plan/request.hpp"

namespace proxy {
namespace {

std::size_t size_of(const std::vector<api::PortEndpoints>& endpoints) {
    std::size_t size = 0;
    for (const api::PortEndpoints& group : endpoints)
        size += group.endpoints.size();
    return size;
}

std::size_t size_of(const ServicePlan& plan) {
    std::size_t size = 1 + plan.virtual_servers.size() + plan.elements.size();
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

void Engine::plan_service(const api::ObjectName& name, const Mirror& kernel) {
    for (Planning planning{name}; planning.next != Planning::Step::done;)
        advance(planning, kernel);
}

std::size_t Engine::plan_dirty(const Mirror& kernel, const std::function<bool(const api::ObjectName&)>& wanted) {
    plan_node_if_dirty();
    std::vector<api::ObjectName> now;
    for (const api::ObjectName& name : dirty_)
        if (!wanted || wanted(name))
            now.push_back(name);
    for (const api::ObjectName& name : now) {
        plan_service(name, kernel);
        dirty_.erase(name);
    }
    for (auto names = take_unsettled(); !names.empty(); names = take_unsettled())
        for (const api::ObjectName& name : names)
            plan_service(name, kernel);
    if (dirty_.empty())
        ended_.clear();
    return now.size();
}

bool Engine::plan_slice(const Mirror& kernel, std::size_t most) {
    plan_node_if_dirty();
    if (round_.empty())
        round_.waiting = std::exchange(dirty_, {});
    for (std::size_t seen = 0; seen < most && !round_.empty();) {
        if (!round_.current)
            round_.current.emplace(round_.waiting.extract(round_.waiting.begin()).value());
        seen += advance(*round_.current, kernel);
        if (round_.current->next != Planning::Step::done)
            continue;
        round_.current.reset();
        round_.waiting.merge(take_unsettled());
    }
    desired_.wishes().end_slice();
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

/// How many objects it has looked at.
std::size_t Engine::advance(Planning& planning, const Mirror& kernel) {
    switch (planning.next) {
        case Planning::Step::look:
            return look(planning);
        case Planning::Step::make:
            return make_plan(planning, kernel);
        case Planning::Step::keep:
            return keep_what_stays(planning, kernel);
        case Planning::Step::replace:
            return put_plan(planning);
        case Planning::Step::settle:
            return settle_plan(planning, kernel);
        case Planning::Step::done:
            break;
    }
    return 0;
}

std::size_t Engine::look(Planning& planning) {
    ++plans_;
    const api::ObjectName& name = planning.name;
    gaps_.erase(name);
    without_ipv6_.erase(name);
    const auto found = store_.services().find(name);
    if (found == store_.services().end()) {
        const auto before = draining_.empty() ? std::vector<netlink::VirtualServer>{} : desired_.servers_of(name);
        forget_service(name);
        forget_draining(before);
        planning.next = Planning::Step::done;
        return 1 + before.size();
    }
    planning.service = *found;
    planning.age = {found->created, transactions_};
    planning.endpoints = api::endpoints_of(
        *found, store_, [this](const api::Pod& pod) { return readiness_of(pod, probing_.verdicts().of(pod.name)); },
        node_name_, budget_.most_endpoints());
    planning.problems =
        note_addresses(*found, planning.endpoints, {facts_.claims, facts_.own_addresses, addresses_}, addresses_);
    planning.next = Planning::Step::make;
    return 1 + size_of(planning.endpoints);
}

std::size_t Engine::make_plan(Planning& planning, const Mirror& kernel) {
    const Request request = request_of(planning.service, facts_, addresses_, budget_.most_front_ends());
    Budget::Grant grant = budget_.grant(planning.service, request, planning.endpoints, planning.age);
    ServicePlan& made = planning.plan;
    made = plan(planning.service, request, planning.endpoints, facts_,
                {kernel, probing_.verdicts(), missing_schedulers_, marks_}, grant.front_ends);
    std::move(grant.problems.begin(), grant.problems.end(), std::back_inserter(made.problems));
    std::move(planning.problems.begin(), planning.problems.end(), std::back_inserter(made.problems));
    std::sort(made.elements.begin(), made.elements.end());  // here, so that replacing is shorter
    planning.next = Planning::Step::keep;
    return size_of(made);
}

std::size_t Engine::keep_what_stays(Planning& planning, const Mirror& kernel) {
    slow_start_.weigh(planning.name, planning.plan, kernel);
    planning.before = draining_.empty() ? std::vector<netlink::VirtualServer>{} : desired_.servers_of(planning.name);
    keep_draining(planning.name, planning.endpoints, planning.age, kernel, planning.plan);
    planning.next = Planning::Step::replace;
    return size_of(planning.plan);
}

std::size_t Engine::put_plan(Planning& planning) {
    ServicePlan& made = planning.plan;
    const std::size_t size = size_of(made);
    plan_problems_.put(planning.name, std::move(made.problems));
    if (!made.gaps.empty())
        gaps_[planning.name] = std::move(made.gaps);
    if (made.without_ipv6)
        without_ipv6_.insert(planning.name);
    marks_.keep(planning.name, made.marks);
    desired_.replace(planning.name, std::move(made), planning.age);
    planning.next = Planning::Step::settle;
    return size;
}

std::size_t Engine::settle_plan(Planning& planning, const Mirror& kernel) {
    forget_draining(planning.before);
    note_backends(planning.name);
    health_ports_.put(planning.service, planning.endpoints, desired_, kernel);
    planning.next = Planning::Step::done;
    return 1 + size_of(planning.endpoints);
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

bool Engine::settle_health_ports(const Mirror& kernel, bool refused, std::size_t most) {
    return health_ports_.settle(desired_, kernel, refused, most);
}

}  // namespace proxy
