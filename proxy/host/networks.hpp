// Which networks are pods' and which are Services': from the configuration, and from what the cluster says of them (the
// Node's podCIDRs, ServiceCIDR objects), as that changes. What was known before a restart holds until the cluster has
// said it again. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "api/objects/store.hpp"
#include "netlink/rules_in_kernel.hpp"
#include "proxy/config/config.hpp"
#include "proxy/host/range_check.hpp"

namespace proxy {

/// A range of a ServiceCIDR object.
struct ServiceRange {
    std::string object;  ///< its name; empty: remembered only
    base::Prefix prefix;
    bool operator==(const ServiceRange&) const = default;
};

/// What the cluster says; nothing, as long as it has not been heard.
struct ClusterNetworks {
    std::optional<std::vector<base::Prefix>> pods;  ///< spec.podCIDRs of this node
    std::optional<std::vector<ServiceRange>> services;
    bool operator==(const ClusterNetworks&) const = default;
};

/// More ranges than that are left out, with a problem.
inline constexpr std::size_t most_service_ranges = 256;

struct NetworkPlan {
    netlink::RuleNetworks rules;
    std::vector<base::Prefix> pod_networks;    ///< in which no Service may claim addresses
    std::vector<base::Prefix> service_ranges;  ///< the same, and no endpoint is in them
    std::vector<std::string> problems;
    bool operator==(const NetworkPlan&) const = default;
};

/// `host`: the node's own networks. A range of the cluster that overlaps one of them or a pod network may have other
/// hosts in it: it is none, and a problem.
NetworkPlan plan_networks(const Config& config, const ClusterNetworks& known, const std::vector<NodeNetwork>& host);

class Networks {
public:
    /// Knows only what the configuration says, which must outlive this.
    explicit Networks(const Config& config) : config_(config), plan_(plan_networks(config, {}, {})) {}

    /// What plan().rules.notes of an earlier podferry said.
    void remember(const std::vector<std::string>& notes);

    using ReadHost = std::function<std::vector<NodeNetwork>()>;
    /// What the objects say now; `knows_service_ranges`: their ServiceCIDRs are all there are. True: the plan is
    /// another one. The host is read only where it matters, and when the objects have changed or `again` is true.
    bool follow(const api::Store& store, bool knows_service_ranges, const ReadHost& read_host, bool again = false);

    const NetworkPlan& plan() const { return plan_; }

private:
    const Config& config_;
    ClusterNetworks known_;
    NetworkPlan plan_;
};

}  // namespace proxy
