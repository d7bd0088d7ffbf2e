// A Service as whoever gives load balancer addresses sees it: what it asks for and what its status says. The service
// proxy of a node needs nothing of that, so it is not in types.hpp.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/objects/types.hpp"
#include "api/wire/field.hpp"

namespace api {

/// status.loadBalancer.ingress[]: an address, a host name, or both.
struct BalancerIngress {
    std::optional<Address> address;
    IpMode mode = IpMode::vip;
    std::string hostname;
    bool operator==(const BalancerIngress&) const = default;
};

/// What `condition` of the status says (meta/v1 Condition).
struct StatusCondition {
    std::string status;  ///< "True", "False", "Unknown"
    std::string reason;
    std::string message;
    bool operator==(const StatusCondition&) const = default;
};

/// The type of the condition that says whether a Service has the addresses that it asks for.
inline constexpr std::string_view balancer_condition = "podferry.io/LoadBalancerAddress";

/// Where connections to its addresses go: what says with which other Services it can share one.
struct BalancerBackend {
    std::vector<std::pair<Protocol, std::uint16_t>> ports;
    Labels selector;
    TrafficPolicy external_traffic_policy = TrafficPolicy::cluster;
    bool operator==(const BalancerBackend&) const = default;
};

struct BalancedService {
    ObjectName name;
    std::string uid;
    std::string version;  ///< metadata.resourceVersion
    std::chrono::sys_seconds created;
    bool is_balancer =
        false;  ///< spec.type is LoadBalancer. Of any other only what stands above and the status are read
    bool terminating = false;  ///< metadata.deletionTimestamp is set
    Labels labels;
    Labels annotations;          ///< those of the domains podferry.io, metallb.io, metallb.universe.tf and kube-vip.io
    std::string balancer_class;  ///< spec.loadBalancerClass; empty: none
    std::string wanted_ip;       ///< spec.loadBalancerIP, as it was written
    std::vector<Family> families;
    FamilyPolicy family_policy = FamilyPolicy::single_stack;
    BalancerBackend backend;
    std::vector<BalancerIngress> ingress;
    std::optional<StatusCondition> condition;  ///< the one of type balancer_condition
    bool operator==(const BalancedService&) const = default;
};

/// What of these fields of a Service from a server cannot be read has its default, and is noted. nullopt: it has no
/// name.
std::optional<BalancedService> decode_balanced_service(const Value& document, std::vector<Mistake>& mistakes);

}  // namespace api
