// One service port of one address family as kernel objects (plan.hpp puts them together). Pure.
#pragma once

#include <span>

#include "proxy/plan/front_ends.hpp"
#include "proxy/plan/plan.hpp"
#include "proxy/plan/scheduling.hpp"
#include "proxy/plan/selection.hpp"
#include "proxy/plan/source_ranges.hpp"

namespace proxy {

/// Everything about a service port and a family that its front ends share.
struct PortOfFamily {
    const api::Service& service;
    const api::ServicePort& port;
    EndpointList endpoints;  ///< of the family
    Selection selection;
    const NodeFacts& node;
    const PlanInputs& inputs;
    const Scheduling& scheduling;
    const AllowedSources& sources;             ///< of the family
    std::span<const FrontEndWish> front_ends;  ///< of the family and the port, ClusterIPs first
};

/// Adds what the port needs to `plan`.
void plan_port(const PortOfFamily& view, ServicePlan& plan);

}  // namespace proxy
