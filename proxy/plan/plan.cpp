#include "proxy/plan/plan.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "proxy/plan/port_plan.hpp"
#include "proxy/plan/request.hpp"

namespace proxy {
namespace {

/// kube-proxy, in all its modes, reads such a list as none; but who writes it may think otherwise.
void note_open_addresses(const api::Service& service, const std::vector<ExternalAddress>& external, ServicePlan& plan) {
    for (const bool ipv6 : {false, true}) {
        if (!only_other_family(service.source_ranges, ipv6))
            continue;
        const auto open = std::find_if(external.begin(), external.end(), [&](const ExternalAddress& one) {
            return one.field == ClaimField::ingress && one.address.is_v6() == ipv6;
        });
        if (open == external.end())
            continue;
        plan.problems.push_back("spec.loadBalancerSourceRanges: has no " + std::string(ipv6 ? "IPv6" : "IPv4") +
                                " range, so " + open->address.to_string() +
                                " is open to everybody; add a range of that family");
        return;
    }
}

void note_marks(ServicePlan& plan) {
    if (plan.lacks_marks)
        plan.problems.emplace_back(
            "spec.externalTrafficPolicy: all marks are in use, so that clients in the cluster get this node's "
            "endpoints only; give setting fwmark a mask with more zero bits");
    if (!plan.hashed_by.empty())
        plan.problems.push_back(
            "spec.sessionAffinity: this node's kernel has no scheduler mh, which keeps clients in the cluster with "
            "their pods at external addresses and node ports; load its module ip_vs_mh, which the next audit finds; "
            "until then " +
            plan.hashed_by + " is used");
}

/// A virtual server that the Service wants twice, as when an external IP is its own ClusterIP: the later one's state
/// counts, and the kind that goes before.
void merge_twins(std::vector<PlannedServer>& servers) {
    std::vector<std::size_t> order(servers.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return std::tie(servers[a].server, a) < std::tie(servers[b].server, b);
    });
    std::vector<bool> goes(servers.size(), false);
    for (std::size_t i = 1; i < order.size(); ++i) {
        PlannedServer& earlier = servers[order[i - 1]];
        PlannedServer& later = servers[order[i]];
        if (earlier.server != later.server)
            continue;
        later.kind = std::min(earlier.kind, later.kind);
        goes[order[i - 1]] = true;
    }
    std::size_t at = 0;
    std::erase_if(servers, [&](const PlannedServer&) { return goes[at++]; });
}

bool is_reached_from_outside(const api::Service& service) {
    return service.type == api::ServiceType::node_port || service.type == api::ServiceType::load_balancer ||
           !service.external_ips.empty();
}

/// Counts as kube-proxy does for its sync_proxy_rules_no_local_endpoints_total.
void note_gaps(const api::Service& service, const Selection& selection, bool ipv6, ServicePlan& plan) {
    if (!selection.has_any || !selection.local.empty())
        return;
    if (service.internal_traffic_policy == api::TrafficPolicy::local)
        plan.gaps.insert({false, ipv6});
    if (service.external_traffic_policy == api::TrafficPolicy::local && is_reached_from_outside(service))
        plan.gaps.insert({true, ipv6});
}

}  // namespace

ServicePlan plan(const api::Service& service, const Request& request, const std::vector<api::PortEndpoints>& endpoints,
                 const NodeFacts& node, const PlanInputs& inputs, std::size_t front_ends) {
    ServicePlan plan;
    if (service.headless || service.type == api::ServiceType::external_name || service.ports.empty())
        return plan;
    Scheduling scheduling = scheduling_of(service, node.scheduler, inputs.missing_schedulers);
    plan.problems = std::move(scheduling.problems);
    plan.problems.insert(plan.problems.end(), request.problems.begin(), request.problems.end());
    plan.slow_start = scheduling.slow_start;
    std::vector<const api::PortEndpoints*> groups(service.ports.size(), nullptr);
    for (const api::PortEndpoints& group : endpoints)
        groups[group.port_index] = &group;
    const auto& asked = request.front_ends.first;
    const auto wishes = by_port(std::span(asked).first(std::min(front_ends, asked.size())), service);
    for (auto at = wishes.begin(), end = at; at != wishes.end(); at = end) {
        const bool ipv6 = at->address->is_v6();
        end = std::find_if(at, wishes.end(), [&](const FrontEndWish& wish) {
            return wish.port_index != at->port_index || wish.address->is_v6() != ipv6;
        });
        if (groups[at->port_index] == nullptr)
            continue;
        PortOfFamily view{service,    service.ports[at->port_index], {},       {}, node, inputs,
                          scheduling, request.sources[ipv6 ? 1 : 0], {at, end}};
        for (const api::ResolvedEndpoint& endpoint : groups[at->port_index]->endpoints)
            if (endpoint.address.is_v6() == ipv6)
                view.endpoints.push_back(&endpoint);
        view.selection = select(view.endpoints, node.place);
        note_gaps(service, view.selection, ipv6, plan);
        plan_port(view, plan);
    }
    merge_twins(plan.virtual_servers);
    // The address becomes local to this node, and all its unclaimed ports are refused.
    for (const Address& cluster_ip : service.cluster_ips) {
        if (cluster_ip.is_v6() && !node.has_ipv6) {
            plan.without_ipv6 = true;
            continue;
        }
        if (node.dns_cache.contains(cluster_ip))
            continue;  // it is local already, and has a port that is not ours
        plan.routes.push_back({cluster_ip});
        plan.elements.push_back({netlink::Set::virtual_address, cluster_ip, netlink::Protocol::none, 0});
    }
    note_marks(plan);
    note_open_addresses(service, request.external, plan);
    return plan;
}

ServicePlan plan_node(const NodeFacts& node) {
    ServicePlan plan;
    for (const Address& address : node.node_port_addresses)
        plan.elements.push_back({netlink::Set::node_address, address, netlink::Protocol::none, 0});
    return plan;
}

}  // namespace proxy
