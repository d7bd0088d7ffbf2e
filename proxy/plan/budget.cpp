#include "proxy/plan/budget.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

namespace proxy {
namespace {

bool are_all_known(const api::Service& service, const std::vector<api::PortEndpoints>& endpoints) {
    return endpoints.size() == service.ports.size() &&
           std::all_of(endpoints.begin(), endpoints.end(), [](const auto& group) { return group.all; });
}

/// What bounds a Service, as the end of a sentence.
std::string bound_text(const Cost& bound, bool by_real_servers) {
    if (by_real_servers)
        return fmt::format(
            "with their endpoints and source ranges the others would be more than {} real servers; ask "
            "for less, or raise setting real_servers_per_service",
            bound.real_servers);
    return fmt::format("a Service may have {}; ask for less, or raise setting front_ends_per_service",
                       bound.front_ends);
}

}  // namespace

Budget::Grant Budget::grant(const api::Service& service, const Request& request,
                            const std::vector<api::PortEndpoints>& endpoints, const Age& age) {
    const FrontEndWishes& wishes = request.front_ends;
    const Multiplied multiplied(service, endpoints, request.sources);
    const Fitting own = fitting(wishes.first, multiplied, endpoints.size(), per_service_);
    const Cost room = room_.want(service.name, age, own.cost);
    const Fitting given =
        room == own.cost ? own : fitting(std::span(wishes.first).first(own.count), multiplied, endpoints.size(), room);
    Grant grant{given.count, {}};
    if (given.count < wishes.all)
        grant.problems.push_back(fmt::format(
            "{}: {} front ends (ports x addresses) are asked for and {} are served, ClusterIPs before node ports, load "
            "balancers' addresses and external IPs: {}",
            service.external_ips.empty() ? "spec.ports" : "spec.externalIPs", wishes.all, given.count,
            given.count < own.count
                ? "this node has no room for more, and the others wait for it; ask for less, or raise settings "
                  "front_ends_per_node and real_servers_per_node"
                : bound_text(per_service_, own.count < per_service_.front_ends)));
    else if (wishes.all > 0 && !are_all_known(service, endpoints))
        grant.problems.push_back(
            fmt::format("spec.ports: there are more than {} endpoints, of which the first are used; have fewer, or "
                        "raise setting real_servers_per_service",
                        per_service_.real_servers));
    return grant;
}

}  // namespace proxy
