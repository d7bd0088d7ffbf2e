// One Service as kernel objects (port_plan.hpp: one port of it). Pure.
#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "api/objects/endpoints.hpp"
#include "api/objects/types.hpp"
#include "netlink/state.hpp"
#include "proxy/plan/claim.hpp"
#include "proxy/plan/external_addresses.hpp"
#include "proxy/plan/marks.hpp"
#include "proxy/plan/mirror.hpp"
#include "proxy/plan/selection.hpp"
#include "proxy/plan/verdicts.hpp"

namespace proxy {

struct Request;

/// What planning needs to know of the node.
struct NodeFacts {
    std::vector<Address> node_port_addresses;  ///< node ports are served on these
    std::set<Address> own_addresses;           ///< of this host's interfaces; without link-local ones
    std::set<Address> dns_cache;               ///< ClusterIPs whose port 53 NodeLocal DNSCache answers on this node
    ClaimFacts claims;                         ///< what external addresses and endpoints are judged by
    std::string scheduler = "rr";
    Place place;
    bool has_ipv6 = true;  ///< false: the kernel runs without it or has it off here, and would refuse all that is IPv6
    bool operator==(const NodeFacts&) const = default;
};

/// What planning reads beside the Service, its endpoints and the node. For one call: the references must outlive it.
struct PlanInputs {
    const Mirror& mirror;      ///< of pods that are awaited, the weights there stand; front ends keep their marks
    const Verdicts& verdicts;  ///< which pods are awaited
    const std::set<std::string>& missing_schedulers;  ///< that this kernel has refused
    Marks& marks;                                     ///< the plan's marks are allocated there
};

/// A Local traffic policy that leaves a Service without endpoints here, while there are some elsewhere.
struct LocalGap {
    bool external = false;  ///< of externalTrafficPolicy, else of internalTrafficPolicy
    bool ipv6 = false;
    auto operator<=>(const LocalGap&) const = default;
};

struct PlannedServer {
    netlink::VirtualServer server;
    netlink::VirtualServerState state;
    FrontEndKind kind = FrontEndKind::cluster_ip;  ///< of one with a mark, which no other Service can want, this one
};

struct ServicePlan {
    std::vector<PlannedServer> virtual_servers;  ///< each once
    std::vector<netlink::LocalRoute> routes;
    std::vector<netlink::Element> elements;
    std::set<MarkUse> marks;
    std::chrono::milliseconds slow_start{0};  ///< 0: none
    std::vector<std::string> problems;        ///< "field: sentence"
    std::set<LocalGap> gaps;                  ///< of any of its ports
    bool without_ipv6 = false;                ///< it has IPv6 addresses, and the node has none
    bool lacks_marks = false;                 ///< all are in use
    std::string hashed_by;                    ///< what is used where the kernel has no mh; empty: it is not needed
};

/// `service` has its addresses and node ports; `request` is its (request.hpp), of which it gets the first `front_ends`
/// front ends. Which endpoints a front end has, and which connections are dropped, is what kube-proxy's nftables mode
/// does (selection.hpp, docs/architecture.md). Costs what the Service becomes: each real server of each front end is
/// looked at a few times.
ServicePlan plan(const api::Service& service, const Request& request, const std::vector<api::PortEndpoints>& endpoints,
                 const NodeFacts& node, const PlanInputs& inputs, std::size_t front_ends);

/// What exists once for the node, whatever the services: the addresses on which node ports are served.
ServicePlan plan_node(const NodeFacts& node);

}  // namespace proxy
