#include "proxy/plan.hpp"

#include <algorithm>

#include "proxy/port_plan.hpp"
#include "proxy/source_ranges.hpp"

namespace proxy {
namespace {

/// kube-proxy, in all its modes, takes such a list for none; but who writes it may think otherwise.
void note_open_addresses(const api::Service& service, const std::vector<ExternalAddress>& external, ServicePlan& plan) {
    for (const auto& [address, field, refused] : external)
        if (field == ClaimField::ingress && only_other_family(service.source_ranges, address)) {
            plan.problems.push_back("spec.loadBalancerSourceRanges: has no " +
                                    std::string(address.is_v6() ? "IPv6" : "IPv4") + " range, so " +
                                    address.to_string() + " is open to everybody; add a range of that family");
            return;
        }
}

bool is_reached_from_outside(const api::Service& service) {
    return service.type == api::ServiceType::node_port || service.type == api::ServiceType::load_balancer ||
           !service.external_ips.empty();
}

/// As kube-proxy counts for its sync_proxy_rules_no_local_endpoints_total.
void note_gaps(const api::Service& service, const Selection& selection, bool ipv6, ServicePlan& plan) {
    if (!selection.has_any || !selection.local.empty())
        return;
    if (service.internal_traffic_policy == api::TrafficPolicy::local)
        plan.gaps.insert({false, ipv6});
    if (service.external_traffic_policy == api::TrafficPolicy::local && is_reached_from_outside(service))
        plan.gaps.insert({true, ipv6});
}

}  // namespace

ServicePlan plan(const api::Service& service, const std::vector<api::PortEndpoints>& endpoints, const NodeFacts& node,
                 const Verdicts& verdicts) {
    ServicePlan plan;
    if (service.headless || service.type == api::ServiceType::external_name || service.ports.empty())
        return plan;
    static const std::set<std::string> none;
    Scheduling scheduling = scheduling_of(service, node.scheduler,
                                          verdicts.missing_schedulers == nullptr ? none : *verdicts.missing_schedulers);
    plan.problems = std::move(scheduling.problems);
    plan.slow_start = scheduling.slow_start;
    static const AddressBook nobody;
    const AddressBook& book = verdicts.addresses == nullptr ? nobody : *verdicts.addresses;
    const auto external = external_addresses(service, {node.claims, node.own_addresses, book}, plan.problems);
    for (const Address& cluster_ip : service.cluster_ips) {
        if (cluster_ip.is_v6() && !node.has_ipv6) {
            plan.without_ipv6 = true;
            continue;
        }
        for (const api::PortEndpoints& group : endpoints) {
            PortOfFamily view{service, service.ports[group.port_index], {}, {}, node, verdicts, scheduling, external};
            for (const api::ResolvedEndpoint& endpoint : group.endpoints)
                if (endpoint.address.is_v6() == cluster_ip.is_v6())
                    view.endpoints.push_back(&endpoint);
            view.selection = select(view.endpoints, node.place);
            note_gaps(service, view.selection, cluster_ip.is_v6(), plan);
            plan_port(view, cluster_ip, plan);
        }
        // The address becomes local to this node, and all its unclaimed ports are refused.
        plan.routes.push_back({cluster_ip});
        plan.elements.push_back({netlink::Set::virtual_address, cluster_ip, netlink::Protocol::none, 0});
    }
    note_open_addresses(service, external, plan);
    return plan;
}

ServicePlan plan_node(const NodeFacts& node) {
    ServicePlan plan;
    for (const Address& address : node.node_port_addresses)
        plan.elements.push_back({netlink::Set::node_address, address, netlink::Protocol::none, 0});
    return plan;
}

}  // namespace proxy
