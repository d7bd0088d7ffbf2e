#include "proxy/plan/port_plan.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include "netlink/schedulers.hpp"
#include "proxy/plan/words.hpp"

namespace proxy {
namespace {

using api::TrafficPolicy;
using netlink::Element;
using netlink::RealServer;
using netlink::RealServers;
using netlink::Set;
using netlink::VirtualServer;
using Pool = MarkUse::Pool;

/// The sets that a kind of front end uses.
struct FrontEndSets {
    Set masqueraded;
    Set host_masqueraded;
    Set dropped;
    Set internal_mark;
    Set outside_mark;
};
constexpr FrontEndSets address_sets{Set::masquerade, Set::external_local, Set::dropped_outside, Set::internal_mark,
                                    Set::outside_mark};
constexpr FrontEndSets node_port_sets{Set::node_port, Set::node_port_local, Set::node_port_dropped,
                                      Set::internal_node_port_mark, Set::outside_node_port_mark};

/// Who connects to a front end gets which endpoints.
struct FrontEnd {
    VirtualServer server;
    FrontEndKind kind;
    FrontEndSets sets;
    Pool internal = Pool::cluster;  // pods and this host
    Pool outside = Pool::cluster;
};

bool is_usable(const RealServers& servers) {
    return std::any_of(servers.begin(), servers.end(), [](const auto& server) { return server.second > 0; });
}

/// The real servers of one pool, made once for all front ends of the port. The selected endpoints get new connections.
/// Those whose probe has failed stay without weight, except for UDP: a client that keeps its port would stay with them.
/// Those that have not been probed since the start stay as they are in each virtual server.
class PoolServers {
public:
    PoolServers(const PortOfFamily& view, bool only_local);
    RealServers of(const VirtualServer& server) const;
    bool usable(const VirtualServer& server) const { return usable_ || (!unknown_.empty() && is_usable(of(server))); }
    /// All front ends have the same ones.
    bool same_everywhere() const { return unknown_.empty(); }

private:
    const PortOfFamily& view_;
    bool keeps_weight_0_;
    RealServers known_;
    bool usable_ = false;
    EndpointList unknown_;
};

class PortPlanner {
public:
    PortPlanner(const PortOfFamily& view, ServicePlan& plan);

    void add(const FrontEndWish& wish);
    void add_marks();
    void add_hairpins();

private:
    void add_cluster_ip(const VirtualServer& front);
    void add_external_address(FrontEndKind kind, const VirtualServer& front);
    void restrict_sources(const VirtualServer& front);
    const PoolServers& pool(Pool pool) const { return pool == Pool::local ? local_ : cluster_; }
    netlink::VirtualServerSettings settings() const;
    void add(const FrontEnd& front_end);
    void add_external(FrontEndKind kind, const VirtualServer& server, const FrontEndSets& sets);
    void mark(const FrontEnd& front_end, Set set, Pool pool);
    bool differ(const FrontEnd& front_end);
    bool keeps_port(const FrontEnd& front_end) const;

    const PortOfFamily& view_;
    ServicePlan& plan_;
    PoolServers cluster_;
    PoolServers local_;
    bool one_port_ = true;              // all endpoints have the same
    std::optional<bool> pools_differ_;  // when they are the same everywhere
    std::vector<FrontEnd> front_ends_;
    std::set<std::uint32_t> marked_;  // virtual servers with these marks are in the plan
};

/// The element that says `set` of a virtual server.
Element element_of(Set set, const VirtualServer& server) {
    return {set, has_address(set) ? server.address : Address{}, server.protocol, server.port};
}

PoolServers::PoolServers(const PortOfFamily& view, bool only_local)
    : view_(view), keeps_weight_0_(netlink::passes_over_weight_0(view.scheduling.scheduler)) {
    for (std::size_t i = 0; i < view.endpoints.size(); ++i) {
        const api::ResolvedEndpoint* endpoint = view.endpoints[i];
        const EndpointFates& fates = view.selection.fates[i];
        switch (only_local ? fates.local : fates.cluster) {
            case EndpointFate::selected:
                known_[{endpoint->address, endpoint->port}] = 1;
                usable_ = true;
                break;
            case EndpointFate::failed_probe:
                if (keeps_weight_0_ && view.port.protocol != api::Protocol::udp)
                    known_.try_emplace({endpoint->address, endpoint->port}, 0);
                break;
            case EndpointFate::not_probed:
                unknown_.push_back(endpoint);
                break;
            case EndpointFate::not_local:
            case EndpointFate::other_node:
            case EndpointFate::other_zone:
            case EndpointFate::terminating:
            case EndpointFate::not_ready:
            case EndpointFate::dead_node:
                break;
        }
    }
}

RealServers PoolServers::of(const VirtualServer& server) const {
    RealServers result = known_;
    for (const api::ResolvedEndpoint* endpoint : unknown_) {
        const RealServer real{endpoint->address, endpoint->port};
        if (!view_.inputs.verdicts.awaits(endpoint->pod))
            continue;
        const auto weight = view_.inputs.mirror.weight(server, real);
        if (weight && (*weight > 0 || keeps_weight_0_))
            result.try_emplace(real, std::min(*weight, 1));  // slow start, if any, weighs again
    }
    return result;
}

PortPlanner::PortPlanner(const PortOfFamily& view, ServicePlan& plan)
    : view_(view), plan_(plan), cluster_(view, false), local_(view, true) {
    for (const api::ResolvedEndpoint* endpoint : view.endpoints)
        one_port_ = one_port_ && endpoint->port == view.endpoints.front()->port;
}

netlink::VirtualServerSettings PortPlanner::settings() const {
    netlink::VirtualServerSettings settings;
    settings.scheduler = view_.scheduling.scheduler;
    settings.scheduler_flags = view_.scheduling.flags;
    if (view_.service.client_ip_affinity) {
        settings.persistent = true;
        settings.persistence_s = static_cast<std::uint32_t>(view_.service.client_ip_affinity->count());
    }
    return settings;
}

/// A connection without a mark gets what clients from outside get.
void PortPlanner::add(const FrontEnd& front_end) {
    plan_.virtual_servers.push_back(
        {front_end.server, {settings(), pool(front_end.outside).of(front_end.server)}, front_end.kind});
    front_ends_.push_back(front_end);
}

void PortPlanner::add(const FrontEndWish& wish) {
    const VirtualServer front = server_of(wish, view_.service);
    if (wish.kind == FrontEndKind::cluster_ip)
        add_cluster_ip(front);
    else if (wish.kind == FrontEndKind::node_port)
        add_external(wish.kind, front, node_port_sets);
    else
        add_external_address(wish.kind, front);
    if (wish.kind == FrontEndKind::load_balancer)
        restrict_sources(front);
}

/// internalTrafficPolicy Local means this node's endpoints, or nothing, for every client.
void PortPlanner::add_cluster_ip(const VirtualServer& front) {
    const bool only_local = view_.service.internal_traffic_policy == TrafficPolicy::local;
    const Pool from = only_local ? Pool::local : Pool::cluster;
    plan_.elements.push_back(element_of(Set::served, front));
    if (only_local && view_.selection.has_any && !local_.usable(front))
        plan_.elements.push_back(element_of(Set::dropped, front));
    else
        plan_.elements.push_back(element_of(Set::cluster, front));
    add(FrontEnd{front, FrontEndKind::cluster_ip, address_sets, from, from});
}

/// externalTrafficPolicy Local means this node's endpoints for clients from outside, whose addresses the pods see; pods
/// and this host get the cluster's.
void PortPlanner::add_external(FrontEndKind kind, const VirtualServer& front, const FrontEndSets& sets) {
    if (view_.service.external_traffic_policy == TrafficPolicy::cluster) {
        plan_.elements.push_back(element_of(sets.masqueraded, front));
        add(FrontEnd{front, kind, sets, Pool::cluster, Pool::cluster});
        return;
    }
    plan_.elements.push_back(element_of(sets.host_masqueraded, front));
    if (local_.usable(front)) {
        add(FrontEnd{front, kind, sets, Pool::cluster, Pool::local});
        return;
    }
    if (view_.selection.has_any)
        plan_.elements.push_back(element_of(sets.dropped, front));
    add(FrontEnd{front, kind, sets, Pool::cluster, Pool::cluster});
}

/// An address that is this node's own stays what it is: IPVS sees its packets anyway.
void PortPlanner::add_external_address(FrontEndKind kind, const VirtualServer& front) {
    add_external(kind, front, address_sets);
    plan_.elements.push_back(element_of(Set::served, front));
    if (view_.node.own_addresses.contains(front.address))
        return;
    plan_.elements.push_back(element_of(Set::external, front));
    plan_.elements.push_back({Set::external_address, front.address, netlink::Protocol::none, 0});
    // The kernel would not tell a client: as the source of an ICMP error it uses none but the host's addresses.
    if (!cluster_.usable(front))
        plan_.elements.push_back(element_of(Set::refused, front));
}

void PortPlanner::restrict_sources(const VirtualServer& front) {
    if (view_.sources.everybody())
        return;
    Element element = element_of(Set::firewalled, front);
    plan_.elements.push_back(element);
    element.set = Set::allowed;
    const auto allow = [&](const AllowedSources::Network& network) {
        element.sources = network;
        plan_.elements.push_back(element);
    };
    for (const AllowedSources::Network& network : view_.sources.networks())
        allow(network);
    if (const auto own = view_.sources.also(front.address))
        allow(own);
}

/// The kernel's persistence keeps the port of a marked connection as it is (ip_vs_sched_persist).
bool PortPlanner::keeps_port(const FrontEnd& front_end) const {
    return view_.endpoints.empty() || (one_port_ && view_.endpoints.front()->port == front_end.server.port);
}

/// Clients inside and outside get different ones.
bool PortPlanner::differ(const FrontEnd& front_end) {
    if (front_end.internal == front_end.outside)
        return false;
    if (!pools_differ_ || !local_.same_everywhere() || !cluster_.same_everywhere())
        pools_differ_ = pool(front_end.internal).of(front_end.server) != pool(front_end.outside).of(front_end.server);
    return *pools_differ_;
}

/// Connections that `set` gives the mark get the endpoints of `pool`, whatever the front end.
void PortPlanner::mark(const FrontEnd& front_end, Set set, Pool from) {
    const bool persistent = view_.service.client_ip_affinity && keeps_port(front_end);
    if (view_.service.client_ip_affinity && !persistent)
        from = Pool::hashed;
    const MarkUse use{view_.service.name, view_.port.port, view_.port.protocol, from};
    Element carrier = element_of(set, front_end.server);
    const auto mark = view_.inputs.marks.allocate(use, carrier, view_.inputs.mirror);
    if (!mark) {
        plan_.lacks_marks = true;
        return;
    }
    carrier.mark = *mark;
    plan_.elements.push_back(carrier);
    const VirtualServer marked{front_end.server.address.is_v6() ? Address::any_v6() : Address(),
                               netlink::Protocol::none, 0, *mark};
    if (!marked_.insert(*mark).second)
        return;
    plan_.marks.insert(use);
    plan_.elements.push_back({Set::mark, {}, netlink::Protocol::none, 0, *mark});
    netlink::VirtualServerState state{settings(), pool(from).of(marked)};
    if (from == Pool::hashed) {
        state.settings = {};
        state.settings.scheduler = view_.scheduling.hashing;
        if (netlink::has_flags(state.settings.scheduler))
            state.settings.scheduler_flags = netlink::scheduler_fallback;
        if (state.settings.scheduler != "mh")
            plan_.hashed_by = state.settings.scheduler;
    }
    plan_.virtual_servers.push_back({marked, std::move(state), FrontEndKind::cluster_ip});
}

/// Adds marks where clients differ in what they get, and where a client is to keep its endpoint over several front
/// ends.
void PortPlanner::add_marks() {
    const auto shares = [&](const FrontEnd& front_end) {
        return view_.service.client_ip_affinity && keeps_port(front_end);
    };
    const bool shared = std::count_if(front_ends_.begin(), front_ends_.end(), shares) > 1;
    for (const FrontEnd& front_end : front_ends_) {
        const bool all = shared && shares(front_end);
        if (all || differ(front_end))
            mark(front_end, front_end.sets.internal_mark, front_end.internal);
        if (all)
            mark(front_end, front_end.sets.outside_mark, front_end.outside);
    }
}

void PortPlanner::add_hairpins() {
    for (const api::ResolvedEndpoint* endpoint : view_.endpoints)
        if (endpoint->local)
            plan_.elements.push_back({Set::hairpin, endpoint->address, netlink::Protocol::none, 0});
}

}  // namespace

void plan_port(const PortOfFamily& view, ServicePlan& plan) {
    PortPlanner planner(view, plan);
    for (const FrontEndWish& wish : view.front_ends)
        planner.add(wish);
    planner.add_marks();
    planner.add_hairpins();
}

}  // namespace proxy
