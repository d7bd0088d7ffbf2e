#include "proxy/plan.hpp"

#include <algorithm>

#include "proxy/words.hpp"

namespace proxy {
namespace {

using netlink::RealServer;
using netlink::RealServers;
using netlink::Set;
using netlink::VirtualServer;

/// Everything about one service port that its front ends share.
struct PortView {
    const api::Service& service;
    const api::ServicePort& port;
    std::vector<const api::ResolvedEndpoint*> endpoints;
    const NodeFacts& node;
    const Verdicts& verdicts;
};

bool is_fallback(const api::ResolvedEndpoint& endpoint) {
    return endpoint.serving && endpoint.terminating;
}

/// Weight of one endpoint in one virtual server; nullopt: it does not belong there.
std::optional<int> weight_of(const PortView& view, const api::ResolvedEndpoint& endpoint, const VirtualServer& server,
                             bool any_ready) {
    if (endpoint.ready)
        return 1;
    if (endpoint.unknown)
        return view.verdicts.kept(endpoint.pod, server, RealServer{endpoint.address, endpoint.port});
    if (!any_ready && is_fallback(endpoint))
        return 1;
    if (!endpoint.terminating && view.verdicts.failed(endpoint.pod))
        return 0;
    return std::nullopt;
}

RealServers real_servers(const PortView& view, const VirtualServer& server) {
    const auto of_family = [&](const api::ResolvedEndpoint* endpoint) {
        return endpoint->address.is_v6() == server.address.is_v6();
    };
    const bool any_ready =
        std::any_of(view.endpoints.begin(), view.endpoints.end(),
                    [&](const api::ResolvedEndpoint* endpoint) { return of_family(endpoint) && endpoint->ready; });
    RealServers result;
    for (const api::ResolvedEndpoint* endpoint : view.endpoints) {
        if (!of_family(endpoint))
            continue;
        if (const auto weight = weight_of(view, *endpoint, server, any_ready)) {
            auto [entry, added] = result.try_emplace(RealServer{endpoint->address, endpoint->port}, *weight);
            entry->second = std::max(entry->second, *weight);
        }
    }
    return result;
}

void add_virtual_server(const PortView& view, const Address& address, std::uint16_t port, ServicePlan& plan) {
    const VirtualServer key{address, kernel_protocol(view.port.protocol), port};
    netlink::VirtualServerState state;
    state.settings.scheduler = view.node.scheduler;
    if (view.service.client_ip_affinity) {
        state.settings.persistent = true;
        state.settings.persistence_s = static_cast<std::uint32_t>(view.service.client_ip_affinity->count());
    }
    state.real_servers = real_servers(view, key);
    plan.virtual_servers.emplace_back(key, std::move(state));
}

void add_element(Set set, const PortView& view, const Address& address, ServicePlan& plan) {
    plan.elements.push_back({set, address, kernel_protocol(view.port.protocol), view.port.port});
}

/// The address becomes local to this node, and all its unclaimed ports are refused.
void own_address(const Address& address, ServicePlan& plan) {
    plan.routes.push_back({address});
    plan.elements.push_back({Set::virtual_address, address, netlink::Protocol::none, 0});
}

void add_cluster_ips(const PortView& view, ServicePlan& plan) {
    for (const Address& address : view.service.cluster_ips) {
        add_virtual_server(view, address, view.port.port, plan);
        add_element(Set::served, view, address, plan);
        add_element(Set::cluster, view, address, plan);
    }
}

/// An external IP that is an address of this node stays what it is: only the service port is taken.
void add_external_ips(const PortView& view, ServicePlan& plan) {
    for (const Address& address : view.service.external_ips) {
        add_virtual_server(view, address, view.port.port, plan);
        add_element(Set::served, view, address, plan);
        add_element(Set::masquerade, view, address, plan);
    }
}

void add_node_ports(const PortView& view, ServicePlan& plan) {
    if (view.port.node_port == 0)
        return;
    for (const Address& address : view.node.node_port_addresses)
        if (std::any_of(view.service.cluster_ips.begin(), view.service.cluster_ips.end(),
                        [&](const Address& ip) { return ip.is_v6() == address.is_v6(); }))
            add_virtual_server(view, address, view.port.node_port, plan);
    plan.elements.push_back({Set::node_port, Address{}, kernel_protocol(view.port.protocol), view.port.node_port});
}

void add_hairpins(const PortView& view, ServicePlan& plan) {
    for (const api::ResolvedEndpoint* endpoint : view.endpoints)
        if (endpoint->local)
            plan.elements.push_back({Set::hairpin, endpoint->address, netlink::Protocol::none, 0});
}

bool is_ipv6(const Address& address) {
    return address.is_v6();
}

bool wants_ipv6(const api::Service& service) {
    return std::any_of(service.cluster_ips.begin(), service.cluster_ips.end(), is_ipv6) ||
           std::any_of(service.external_ips.begin(), service.external_ips.end(), is_ipv6);
}

api::Service without_ipv6(api::Service service) {
    std::erase_if(service.cluster_ips, is_ipv6);
    std::erase_if(service.external_ips, is_ipv6);
    return service;
}

}  // namespace

ServicePlan plan(const api::Service& service, const std::vector<api::PortEndpoints>& endpoints, const NodeFacts& node,
                 const Verdicts& verdicts) {
    if (!node.has_ipv6 && wants_ipv6(service))
        return proxy::plan(without_ipv6(service), endpoints, node, verdicts);
    ServicePlan plan;
    if (service.headless || service.type == api::ServiceType::external_name || service.cluster_ips.empty())
        return plan;
    for (std::size_t index = 0; index < service.ports.size(); ++index) {
        PortView view{service, service.ports[index], {}, node, verdicts};
        for (const api::PortEndpoints& group : endpoints)
            if (group.port_index == index)
                for (const api::ResolvedEndpoint& endpoint : group.endpoints)
                    view.endpoints.push_back(&endpoint);
        add_cluster_ips(view, plan);
        add_external_ips(view, plan);
        add_node_ports(view, plan);
        add_hairpins(view, plan);
    }
    if (!service.ports.empty()) {
        for (const Address& address : service.cluster_ips)
            own_address(address, plan);
        for (const Address& address : service.external_ips)
            if (!node.own_addresses.contains(address))
                own_address(address, plan);
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
