#include "proxy/plan.hpp"

#include <algorithm>
#include <array>

#include "proxy/words.hpp"

namespace proxy {
namespace {

using api::TrafficPolicy;
using netlink::RealServer;
using netlink::RealServers;
using netlink::Set;
using netlink::VirtualServer;

/// Everything about one service port and one address family that its front ends share.
struct PortView {
    const api::Service& service;
    const api::ServicePort& port;
    EndpointList endpoints;  // of the family
    Selection selection;
    const NodeFacts& node;
    const Verdicts& verdicts;
};

bool is_usable(const RealServers& servers) {
    return std::any_of(servers.begin(), servers.end(), [](const auto& server) { return server.second > 0; });
}

/// The endpoints of `list` take new connections. Those whose probe has failed stay without weight, and those that have
/// not been probed since the start stay as they are; when `only_local`, of this node.
RealServers real_servers(const PortView& view, const EndpointList& list, bool only_local, const VirtualServer& server) {
    RealServers result;
    for (const api::ResolvedEndpoint* endpoint : list)
        result[{endpoint->address, endpoint->port}] = 1;
    for (const api::ResolvedEndpoint* endpoint : view.endpoints) {
        if (endpoint->ready || (only_local && !endpoint->local))
            continue;
        const RealServer real{endpoint->address, endpoint->port};
        if (endpoint->unknown) {
            if (const auto weight = view.verdicts.kept(endpoint->pod, server, real))
                result.try_emplace(real, *weight);
        } else if (!endpoint->terminating && view.verdicts.failed(endpoint->pod)) {
            result.try_emplace(real, 0);
        }
    }
    return result;
}

void add_virtual_server(const PortView& view, const VirtualServer& server, RealServers reals, ServicePlan& plan) {
    netlink::VirtualServerState state;
    state.settings.scheduler = view.node.scheduler;
    if (view.service.client_ip_affinity) {
        state.settings.persistent = true;
        state.settings.persistence_s = static_cast<std::uint32_t>(view.service.client_ip_affinity->count());
    }
    state.real_servers = std::move(reals);
    plan.virtual_servers.emplace_back(server, std::move(state));
}

/// The element that says `set` of a virtual server.
netlink::Element element_of(Set set, const VirtualServer& server) {
    return {set, has_address(set) ? server.address : Address{}, server.protocol, server.port};
}

/// internalTrafficPolicy Local means this node's endpoints, or nothing, for every client.
void add_cluster_ip(const PortView& view, const VirtualServer& server, ServicePlan& plan) {
    const bool only_local = view.service.internal_traffic_policy == TrafficPolicy::local;
    RealServers reals =
        real_servers(view, only_local ? view.selection.local : view.selection.cluster, only_local, server);
    if (only_local && !is_usable(reals) && view.selection.has_any)
        plan.elements.push_back(element_of(Set::dropped, server));
    add_virtual_server(view, server, std::move(reals), plan);
    plan.elements.push_back(element_of(Set::served, server));
    plan.elements.push_back(element_of(Set::cluster, server));
}

/// The sets that a kind of external front end uses.
struct ExternalSets {
    Set masqueraded;
    Set local;
    Set dropped;
};
constexpr ExternalSets address_sets{Set::masquerade, Set::external_local, Set::dropped_outside};
constexpr ExternalSets node_port_sets{Set::node_port, Set::node_port_local, Set::node_port_dropped};

/// externalTrafficPolicy Local means this node's endpoints for clients from outside, whose addresses the pods see; pods
/// and this host get the cluster's.
void add_external(const PortView& view, const VirtualServer& server, const ExternalSets& sets, ServicePlan& plan) {
    RealServers everywhere = real_servers(view, view.selection.cluster, false, server);
    if (view.service.external_traffic_policy == TrafficPolicy::cluster) {
        plan.elements.push_back(element_of(sets.masqueraded, server));
        add_virtual_server(view, server, std::move(everywhere), plan);
        return;
    }
    plan.elements.push_back(element_of(sets.local, server));
    RealServers here = real_servers(view, view.selection.local, true, server);
    if (is_usable(here)) {
        add_virtual_server(view, server, std::move(here), plan);
        return;
    }
    if (view.selection.has_any)
        plan.elements.push_back(element_of(sets.dropped, server));
    add_virtual_server(view, server, std::move(everywhere), plan);
}

/// An address that is this node's own stays what it is: IPVS sees its packets anyway.
void add_external_address(const PortView& view, const Address& address, ServicePlan& plan) {
    const VirtualServer server{address, kernel_protocol(view.port.protocol), view.port.port};
    add_external(view, server, address_sets, plan);
    plan.elements.push_back(element_of(Set::served, server));
    if (view.node.own_addresses.contains(address))
        return;
    plan.elements.push_back(element_of(Set::external, server));
    plan.elements.push_back({Set::external_address, address, netlink::Protocol::none, 0});
}

void add_hairpins(const PortView& view, ServicePlan& plan) {
    for (const api::ResolvedEndpoint* endpoint : view.endpoints)
        if (endpoint->local)
            plan.elements.push_back({Set::hairpin, endpoint->address, netlink::Protocol::none, 0});
}

/// Addresses of load balancers that leave it to the nodes to carry connections, and external IPs.
std::vector<Address> external_addresses(const api::Service& service) {
    std::vector<Address> addresses = service.external_ips;
    for (const api::Ingress& ingress : service.ingress)
        if (ingress.mode == api::IpMode::vip)
            addresses.push_back(ingress.address);
    return addresses;
}

void plan_port(const PortView& view, const Address& cluster_ip, ServicePlan& plan) {
    const netlink::Protocol protocol = kernel_protocol(view.port.protocol);
    const auto of_family = [&](const Address& address) { return address.is_v6() == cluster_ip.is_v6(); };
    add_cluster_ip(view, {cluster_ip, protocol, view.port.port}, plan);
    for (const Address& address : external_addresses(view.service))
        if (of_family(address))
            add_external_address(view, address, plan);
    if (view.port.node_port != 0)
        for (const Address& address : view.node.node_port_addresses)
            if (of_family(address))
                add_external(view, {address, protocol, view.port.node_port}, node_port_sets, plan);
    add_hairpins(view, plan);
}

}  // namespace

ServicePlan plan(const api::Service& service, const std::vector<api::PortEndpoints>& endpoints, const NodeFacts& node,
                 const Verdicts& verdicts) {
    ServicePlan plan;
    if (service.headless || service.type == api::ServiceType::external_name || service.ports.empty())
        return plan;
    for (const Address& cluster_ip : service.cluster_ips) {
        if (cluster_ip.is_v6() && !node.has_ipv6)
            continue;
        for (const api::PortEndpoints& group : endpoints) {
            PortView view{service, service.ports[group.port_index], {}, {}, node, verdicts};
            for (const api::ResolvedEndpoint& endpoint : group.endpoints)
                if (endpoint.address.is_v6() == cluster_ip.is_v6())
                    view.endpoints.push_back(&endpoint);
            view.selection = select(view.endpoints, node.place);
            plan_port(view, cluster_ip, plan);
        }
        // The address becomes local to this node, and all its unclaimed ports are refused.
        plan.routes.push_back({cluster_ip});
        plan.elements.push_back({Set::virtual_address, cluster_ip, netlink::Protocol::none, 0});
    }
    return plan;
}

ServicePlan plan_node(const NodeFacts& node) {
    ServicePlan plan;
    for (const Address& address : node.node_port_addresses)
        plan.elements.push_back({Set::node_address, address, netlink::Protocol::none, 0});
    return plan;
}

}  // namespace proxy
