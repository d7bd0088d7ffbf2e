#include "proxy/edge/edge_plan.hpp"

#include <set>

#include "proxy/edge/weights.hpp"

namespace proxy {
namespace {

using netlink::Element;
using netlink::Set;

/// What leads packets to an external address by a mark, or refuses them before IPVS does, is not needed.
void make_local(ServicePlan& plan) {
    std::set<Address> local;
    std::erase_if(plan.elements, [&](const Element& element) {
        if (element.set == Set::external_address)
            local.insert(element.address);
        return element.set == Set::external_address || element.set == Set::external || element.set == Set::refused;
    });
    for (const Address& address : local) {
        plan.routes.push_back({address});
        plan.elements.push_back({Set::virtual_address, address, netlink::Protocol::none, 0});
    }
}

void weigh(const api::Service& service, ServicePlan& plan) {
    const auto annotation = service.annotations.find(weights_annotation);
    if (annotation == service.annotations.end())
        return;
    const Weights weights = read_weights(annotation->second);
    for (PlannedServer& planned : plan.virtual_servers)
        for (auto& [real, weight] : planned.state.real_servers)
            if (const auto found = weights.find(real); weight > 0 && found != weights.end())
                weight = found->second;
}

}  // namespace

ServicePlan plan_edge(const api::Service& service, const Request& request,
                      const std::vector<api::PortEndpoints>& endpoints, const NodeFacts& node, const PlanInputs& inputs,
                      std::size_t front_ends) {
    ServicePlan made = plan(service, request, endpoints, node, inputs, front_ends);
    if (!service.annotations.contains(take_address_annotation))
        make_local(made);
    weigh(service, made);
    return made;
}

}  // namespace proxy
