// One Service as kernel objects (port_plan.hpp: one port of it). Pure.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
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
#include "proxy/plan/selection.hpp"

namespace proxy {

using base::Address;
struct Request;

/// What planning needs to know of the node.
struct NodeFacts {
    std::vector<Address> node_port_addresses;  ///< node ports are served on these
    std::set<Address> own_addresses;           ///< of this host's interfaces; without link-local ones
    ClaimFacts claims;                         ///< what external addresses and endpoints are judged by
    std::string scheduler = "rr";
    Place place;
    bool has_ipv6 = true;  ///< false: the kernel runs without it or has it off here, and would refuse all that is IPv6
    bool operator==(const NodeFacts&) const = default;
};

/// What planning needs to know of the moment.
struct Verdicts {
    /// True when the pod's probe has failed: its real servers stay, with weight 0.
    std::function<bool(const api::ObjectName& pod)> failed;
    /// The weight of a real server that was in the kernel when podferry started and whose pod has not been judged
    /// since; nullopt for all others.
    std::function<std::optional<int>(const api::ObjectName& pod, const netlink::VirtualServer&,
                                     const netlink::RealServer&)>
        kept;
    /// A mark for IPVS (Marks::take).
    std::function<std::optional<std::uint32_t>(const MarkUse&, const netlink::Element& carrier)> mark;
    /// Schedulers that this kernel has refused; nullptr: none.
    const std::set<std::string>* missing_schedulers = nullptr;
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
                 const NodeFacts& node, const Verdicts& verdicts, std::size_t front_ends);

/// What exists once for the node, whatever the services: the addresses on which node ports are served.
ServicePlan plan_node(const NodeFacts& node);

}  // namespace proxy
