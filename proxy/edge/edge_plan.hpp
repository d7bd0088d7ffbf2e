// The edge's plan: the node role's, but that its addresses are made local to this host, and that real servers have
// weights. Pure.
//
// A node only takes packets to the service ports of an external address, since whoever announces it decides which node
// gets it. An edge is that one: a local route with our protocol number makes the address its own, it answers ARP for
// it, and refuses its other ports. An address that an interface has stays that one's.
#pragma once

#include "proxy/plan/request.hpp"

namespace proxy {

/// With that annotation the addresses are left to whoever moves them here, as VRRP does, and only
/// packets to the service ports are taken, as on a node. What the API has of that name is not looked at.
inline constexpr const char* take_address_annotation = "podferry.io/edge-take-address";

ServicePlan plan_edge(const api::Service& service, const Request& request,
                      const std::vector<api::PortEndpoints>& endpoints, const NodeFacts& node, const PlanInputs& inputs,
                      std::size_t front_ends);

}  // namespace proxy
