// One service port of one address family as kernel objects (plan.hpp puts them together). Pure.
#pragma once

#include <vector>

#include "proxy/plan.hpp"
#include "proxy/scheduling.hpp"
#include "proxy/selection.hpp"

namespace proxy {

/// Everything about a service port and a family that its front ends share.
struct PortOfFamily {
    const api::Service& service;
    const api::ServicePort& port;
    EndpointList endpoints;  ///< of the family
    Selection selection;
    const NodeFacts& node;
    const Verdicts& verdicts;
    const Scheduling& scheduling;
    const std::vector<ExternalAddress>& external;  ///< those that the Service may have
};

/// Adds what the port needs to `plan`; `cluster_ip` is the Service's of the family.
void plan_port(const PortOfFamily& view, const Address& cluster_ip, ServicePlan& plan);

}  // namespace proxy
