#include "proxy/port_plan.hpp"

#include <algorithm>
#include <memory>

#include "proxy/source_ranges.hpp"
#include "proxy/words.hpp"

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
    FrontEndSets sets;
    Pool internal = Pool::cluster;  // pods and this host
    Pool outside = Pool::cluster;
};

class PortPlanner {
public:
    PortPlanner(const PortOfFamily& view, ServicePlan& plan) : view_(view), plan_(plan) {}

    void add_cluster_ip(const Address& address);
    void add_external_address(const Address& address);
    void add_node_port(const Address& address);
    void restrict_sources(const Address& vip);
    void add_marks();
    void add_hairpins();

private:
    RealServers real_servers(Pool pool, const VirtualServer& server) const;
    netlink::VirtualServerSettings settings() const;
    void add(const FrontEnd& front_end);
    void add_external(const VirtualServer& server, const FrontEndSets& sets);
    void mark(const FrontEnd& front_end, Set set, Pool pool);
    void note_missing_hash(const std::string& instead);
    bool keeps_port(const FrontEnd& front_end) const;
    VirtualServer server(const Address& address, std::uint16_t port) const {
        return {address, kernel_protocol(view_.port.protocol), port};
    }

    const PortOfFamily& view_;
    ServicePlan& plan_;
    std::vector<FrontEnd> front_ends_;
};

bool is_usable(const RealServers& servers) {
    return std::any_of(servers.begin(), servers.end(), [](const auto& server) { return server.second > 0; });
}

/// The element that says `set` of a virtual server.
Element element_of(Set set, const VirtualServer& server) {
    return {set, has_address(set) ? server.address : Address{}, server.protocol, server.port};
}

/// The selected endpoints take new connections. Those whose probe has failed stay without weight, except for UDP: a
/// client that keeps its port would stay with them. Those that have not been probed since the start stay as they are.
RealServers PortPlanner::real_servers(Pool pool, const VirtualServer& server) const {
    const bool only_local = pool == Pool::local;
    RealServers result;
    for (const api::ResolvedEndpoint* endpoint : only_local ? view_.selection.local : view_.selection.cluster)
        result[{endpoint->address, endpoint->port}] = 1;
    for (const api::ResolvedEndpoint* endpoint : view_.endpoints) {
        if (endpoint->ready || (only_local && !endpoint->local))
            continue;
        const RealServer real{endpoint->address, endpoint->port};
        if (endpoint->unknown) {
            if (const auto weight = view_.verdicts.kept(endpoint->pod, server, real))
                result.try_emplace(real, std::min(*weight, 1));  // slow start, if any, weighs again
        } else if (view_.port.protocol != api::Protocol::udp && !endpoint->terminating &&
                   view_.verdicts.failed(endpoint->pod)) {
            result.try_emplace(real, 0);
        }
    }
    if (!passes_over_weight_0(view_.scheduling.scheduler))
        std::erase_if(result, [](const auto& entry) { return entry.second <= 0; });
    return result;
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

/// Without a mark a connection gets what clients from outside get.
void PortPlanner::add(const FrontEnd& front_end) {
    plan_.virtual_servers.emplace_back(
        front_end.server, netlink::VirtualServerState{settings(), real_servers(front_end.outside, front_end.server)});
    front_ends_.push_back(front_end);
}

/// internalTrafficPolicy Local means this node's endpoints, or nothing, for every client.
void PortPlanner::add_cluster_ip(const Address& address) {
    const VirtualServer front = server(address, view_.port.port);
    const bool only_local = view_.service.internal_traffic_policy == TrafficPolicy::local;
    const Pool pool = only_local ? Pool::local : Pool::cluster;
    plan_.elements.push_back(element_of(Set::served, front));
    if (only_local && view_.selection.has_any && !is_usable(real_servers(pool, front)))
        plan_.elements.push_back(element_of(Set::dropped, front));
    else
        plan_.elements.push_back(element_of(Set::cluster, front));
    add({front, address_sets, pool, pool});
}

/// externalTrafficPolicy Local means this node's endpoints for clients from outside, whose addresses the pods see; pods
/// and this host get the cluster's.
void PortPlanner::add_external(const VirtualServer& front, const FrontEndSets& sets) {
    if (view_.service.external_traffic_policy == TrafficPolicy::cluster) {
        plan_.elements.push_back(element_of(sets.masqueraded, front));
        add({front, sets, Pool::cluster, Pool::cluster});
        return;
    }
    plan_.elements.push_back(element_of(sets.host_masqueraded, front));
    if (is_usable(real_servers(Pool::local, front))) {
        add({front, sets, Pool::cluster, Pool::local});
        return;
    }
    if (view_.selection.has_any)
        plan_.elements.push_back(element_of(sets.dropped, front));
    add({front, sets, Pool::cluster, Pool::cluster});
}

/// An address that is this node's own stays what it is: IPVS sees its packets anyway.
void PortPlanner::add_external_address(const Address& address) {
    const VirtualServer front = server(address, view_.port.port);
    add_external(front, address_sets);
    plan_.elements.push_back(element_of(Set::served, front));
    if (view_.node.own_addresses.contains(address))
        return;
    plan_.elements.push_back(element_of(Set::external, front));
    plan_.elements.push_back({Set::external_address, address, netlink::Protocol::none, 0});
    // The kernel would not tell a client: as the source of an ICMP error it takes none but the host's addresses.
    if (!is_usable(real_servers(Pool::cluster, front)))
        plan_.elements.push_back(element_of(Set::refused, front));
}

void PortPlanner::add_node_port(const Address& address) {
    add_external(server(address, view_.port.node_port), node_port_sets);
}

void PortPlanner::restrict_sources(const Address& vip) {
    const auto allowed = allowed_sources(view_.service.source_ranges, vip, view_.node.own_addresses);
    if (!allowed)
        return;
    Element element = element_of(Set::firewalled, server(vip, view_.port.port));
    plan_.elements.push_back(element);
    element.set = Set::allowed;
    for (const netlink::SourceNetwork& network : *allowed) {
        element.sources = std::make_shared<netlink::SourceNetwork>(network);
        plan_.elements.push_back(element);
    }
}

/// The kernel's persistence keeps the port of a marked connection as it is (ip_vs_sched_persist).
bool PortPlanner::keeps_port(const FrontEnd& front_end) const {
    return std::all_of(view_.endpoints.begin(), view_.endpoints.end(),
                       [&](const auto* endpoint) { return endpoint->port == front_end.server.port; });
}

/// Connections that `set` gives the mark get the endpoints of `pool`, whatever the front end.
void PortPlanner::mark(const FrontEnd& front_end, Set set, Pool pool) {
    const bool persistent = view_.service.client_ip_affinity && keeps_port(front_end);
    if (view_.service.client_ip_affinity && !persistent)
        pool = Pool::hashed;
    const MarkUse use{view_.service.name, view_.port.port, view_.port.protocol, pool};
    Element carrier = element_of(set, front_end.server);
    const auto mark = view_.verdicts.mark(use, carrier);
    if (!mark) {
        plan_.problems.emplace_back(
            "spec.externalTrafficPolicy: all marks are in use, so that clients in the cluster get this node's "
            "endpoints "
            "only; give setting fwmark a mask with more zero bits");
        return;
    }
    plan_.marks.insert(use);
    carrier.mark = *mark;
    plan_.elements.push_back(carrier);
    plan_.elements.push_back({Set::mark, {}, netlink::Protocol::none, 0, *mark});
    const VirtualServer marked{front_end.server.address.is_v6() ? netlink::Address::any_v6() : netlink::Address(),
                               netlink::Protocol::none, 0, *mark};
    netlink::VirtualServerState state{settings(), real_servers(pool, marked)};
    if (pool == Pool::hashed) {
        state.settings = {};
        state.settings.scheduler = view_.scheduling.hashing;
        if (has_flags(state.settings.scheduler))
            state.settings.scheduler_flags = netlink::scheduler_fallback;
        if (state.settings.scheduler != "mh")
            note_missing_hash(state.settings.scheduler);
    }
    plan_.virtual_servers.emplace_back(marked, std::move(state));
}

void PortPlanner::note_missing_hash(const std::string& instead) {
    std::string problem =
        "spec.sessionAffinity: this node's kernel has no scheduler mh, which keeps clients in the cluster with their "
        "pods at external addresses and node ports; load its module ip_vs_mh, which the next audit finds; until then " +
        instead + " is used";
    if (std::find(plan_.problems.begin(), plan_.problems.end(), problem) == plan_.problems.end())
        plan_.problems.push_back(std::move(problem));
}

/// Where clients differ in what they get, and where a client is to keep its endpoint over several front ends.
void PortPlanner::add_marks() {
    const auto shares = [&](const FrontEnd& front_end) {
        return view_.service.client_ip_affinity && keeps_port(front_end);
    };
    const bool shared = std::count_if(front_ends_.begin(), front_ends_.end(), shares) > 1;
    for (const FrontEnd& front_end : front_ends_) {
        const bool differ =
            front_end.internal != front_end.outside &&
            real_servers(front_end.internal, front_end.server) != real_servers(front_end.outside, front_end.server);
        const bool all = shared && shares(front_end);
        if (all || differ)
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

void plan_port(const PortOfFamily& view, const Address& cluster_ip, ServicePlan& plan) {
    const auto of_family = [&](const Address& address) { return address.is_v6() == cluster_ip.is_v6(); };
    PortPlanner planner(view, plan);
    planner.add_cluster_ip(cluster_ip);
    for (const ExternalAddress& external : view.external) {
        if (!of_family(external.address) || !external.takes(view.port))
            continue;
        planner.add_external_address(external.address);
        if (external.field == ClaimField::ingress)
            planner.restrict_sources(external.address);
    }
    if (view.port.node_port != 0)
        for (const Address& address : view.node.node_port_addresses)
            if (of_family(address))
                planner.add_node_port(address);
    planner.add_marks();
    planner.add_hairpins();
}

}  // namespace proxy
