// Which real servers drain, and how they left: the engine's part in it (draining.hpp has the rules).
#include <algorithm>
#include <functional>
#include <map>
#include <optional>

#include "netlink/schedulers.hpp"
#include "proxy/engine/engine.hpp"
#include "proxy/plan/scheduling.hpp"

namespace proxy {
namespace {

bool has_ended(const api::Pod& pod) {
    return pod.phase == api::PodPhase::succeeded || pod.phase == api::PodPhase::failed;
}

/// Of `terminating` ones, the addresses that no endpoint has any more.
std::set<Address> gone(const std::set<netlink::RealServer>& terminating,
                       const std::vector<api::PortEndpoints>& endpoints) {
    std::set<Address> addresses;
    for (const netlink::RealServer& real : terminating)
        addresses.insert(real.address);
    for (const api::PortEndpoints& group : endpoints)
        for (const api::ResolvedEndpoint& endpoint : group.endpoints)
            addresses.erase(endpoint.address);
    return addresses;
}

/// Which real servers are endpoints; looked at only when one has left.
class Listed {
public:
    explicit Listed(const std::vector<api::PortEndpoints>& endpoints) : endpoints_(endpoints) {}
    bool operator()(const netlink::RealServer& real) {
        if (!known_) {
            known_.emplace();
            for (const api::PortEndpoints& group : endpoints_)
                for (const api::ResolvedEndpoint& endpoint : group.endpoints)
                    known_->insert({endpoint.address, endpoint.port});
        }
        return known_->contains(real);
    }

private:
    const std::vector<api::PortEndpoints>& endpoints_;
    std::optional<std::set<netlink::RealServer>> known_;
};

std::set<netlink::RealServer> terminating_ones(const std::vector<api::PortEndpoints>& endpoints) {
    std::set<netlink::RealServer> found;
    for (const api::PortEndpoints& group : endpoints)
        for (const api::ResolvedEndpoint& endpoint : group.endpoints)
            if (endpoint.terminating)
                found.insert({endpoint.address, endpoint.port});
    return found;
}

/// Of the virtual servers that packets reach by their mark, those of UDP: their keys do not say it.
std::set<std::uint32_t> udp_marks(const ServicePlan& plan) {
    std::set<std::uint32_t> marks;
    for (const netlink::Element& element : plan.elements)
        if (element.mark != 0 && element.protocol == netlink::Protocol::udp)
            marks.insert(element.mark);
    return marks;
}

}  // namespace

/// Pods that are gone with this transaction, by their addresses; before the store takes it.
void Engine::note_ended_pods(const api::Transaction& transaction) {
    const auto note = [this](const api::ObjectName& name) {
        if (const auto pod = store_.pods().find(name); pod != store_.pods().end())
            ended_.insert(pod->ips.begin(), pod->ips.end());
    };
    for (const api::Removal& removal : transaction.removals)
        if (removal.kind == api::Kind::pod)
            note(removal.name);
    for (const api::Upsert& upsert : transaction.upserts)
        if (const auto* pod = std::get_if<api::Pod>(&upsert.object); pod != nullptr && has_ended(*pod))
            note(pod->name);
    draining_.end(ended_);
}

/// Adds the virtual servers with marks that the plan does not need any more: no new connection is given their marks,
/// and those that are under way find their real servers there without (ip_vs_conn_in_get()) until they end.
template <class How>
void Engine::keep_marked(const api::ObjectName& name, How how, ServicePlan& plan) {
    const auto marks = marks_.of(name);
    if (marks.size() == plan.marks.size())
        return;
    std::multimap<std::uint32_t, netlink::VirtualServer> servers;  // by mark: one of each family
    for (const netlink::VirtualServer& server : desired_.servers_of(name))
        if (server.mark != 0)
            servers.emplace(server.mark, server);
    for (const auto& [use, mark] : marks) {
        if (plan.marks.contains(use) || use.protocol == api::Protocol::udp)
            continue;
        const auto [begin, end] = servers.equal_range(mark);
        for (auto place = begin; place != end; ++place) {
            const netlink::VirtualServer& server = place->second;
            const netlink::VirtualServerState& former = *desired_.find(server);
            netlink::VirtualServerState state{former.settings, {}};
            draining_.keep(server, former.real_servers, how, state.real_servers);
            if (state.real_servers.empty())
                continue;
            plan.virtual_servers.push_back({server, std::move(state), FrontEndKind::cluster_ip});
            plan.elements.push_back({netlink::Set::mark, {}, netlink::Protocol::none, 0, mark});
            plan.marks.insert(use);
        }
    }
}

/// Adds what was in the plan's virtual servers and is not any more: by the former plan; or, at the start and when they
/// were another Service's, by what the kernel has, so that nothing is added to the kernel only to drain.
void Engine::keep_draining(const api::ObjectName& name, const std::vector<api::PortEndpoints>& endpoints,
                           const Age& age, const Mirror& kernel, ServicePlan& plan) {
    const auto were = terminating_.find(name);
    Listed lists(endpoints);
    const auto how = [&](const netlink::RealServer& real) {
        if (lists(real))
            return Departure::listed;
        const bool was_terminating = were != terminating_.end() && were->second.contains(real);
        return was_terminating || ended_.contains(real.address) ? Departure::ended : Departure::vanished;
    };
    const auto marks = plan.marks.empty() ? std::set<std::uint32_t>{} : udp_marks(plan);
    for (auto& [server, state, kind] : plan.virtual_servers) {
        if (server.protocol == netlink::Protocol::udp || marks.contains(server.mark))
            continue;
        if (!desired_.claims().will_have(server, name, {kind, age}))
            continue;
        const api::ObjectName* owner = desired_.owner(server);
        const netlink::RealServers* former = nullptr;
        if (owner != nullptr && *owner == name)
            former = &desired_.find(server)->real_servers;
        else
            former = kernel.real_servers(server);
        static const netlink::RealServers none;
        if (former == nullptr)
            former = &none;
        const bool drains = netlink::passes_over_weight_0(state.settings.scheduler);
        draining_.keep(server, drains ? *former : none, how, state.real_servers);
    }
    keep_marked(name, std::ref(how), plan);
    if (were != terminating_.end())
        draining_.end(gone(were->second, endpoints));
    auto terminating = terminating_ones(endpoints);
    if (terminating.empty())
        terminating_.erase(name);
    else
        terminating_[name] = std::move(terminating);
}

/// Of the servers that a Service had, those that it has no more.
void Engine::forget_draining(const std::vector<netlink::VirtualServer>& servers) {
    for (const netlink::VirtualServer& server : servers)
        if (desired_.find(server) == nullptr)
            draining_.forget(server);
}

std::size_t Engine::review_draining(Time now, const Draining::Counted& counted) {
    const auto done = draining_.review(now, counted);
    for (const auto& [server, real] : done) {
        desired_.drop(server, real);
        const auto* left = server.mark != 0 ? desired_.find(server) : nullptr;
        if (left != nullptr && left->real_servers.empty())
            dirty_.insert(*desired_.owner(server));  // it may have stayed for its connections only
    }
    return done.size();
}

}  // namespace proxy
