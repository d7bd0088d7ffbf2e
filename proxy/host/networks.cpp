#include "proxy/host/networks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace proxy {
namespace {

constexpr std::size_t most_told = 8;  // ranges that overlap
constexpr std::string_view note_of_pods = "pods ";
constexpr std::string_view note_of_services = "services ";

bool is_inside(const base::Prefix& inner, const base::Prefix& outer) {
    return inner.length >= outer.length && contains(outer, inner.address);
}

/// So that none of them is inside of another one.
void add(std::vector<base::Prefix>& ranges, const base::Prefix& range) {
    if (std::any_of(ranges.begin(), ranges.end(), [&](const base::Prefix& other) { return is_inside(range, other); }))
        return;
    std::erase_if(ranges, [&](const base::Prefix& other) { return is_inside(other, range); });
    ranges.push_back(range);
}

template <class List>
List& put(std::optional<List>& list) {
    return list ? *list : list.emplace();
}

class NetworkPlanner {
public:
    NetworkPlanner(const Config& config, const ClusterNetworks& known, const std::vector<NodeNetwork>& host)
        : config_(config), known_(known), host_(host) {}

    NetworkPlan plan() {
        plan_pods();
        plan_services();
        plan_.rules.all_pods = plan_.pod_networks;
        return std::move(plan_);
    }

private:
    void plan_pods() {
        for (const base::Prefix& network : config_.network_cidr)
            add(plan_.pod_networks, network);
        if (config_.detect_local_mode == DetectLocalMode::cluster_cidr)
            plan_.rules.pods = config_.network_cidr;
        if (config_.detect_local_mode != DetectLocalMode::node_cidr)
            return;
        if (!known_.pods || known_.pods->empty()) {
            plan_.problems.push_back(
                fmt::format("detect_local_mode NodeCIDR: {}: until it has some, clients of ClusterIPs are not "
                            "masqueraded, and only "
                            "this host counts as inside the cluster; does kube-controller-manager allocate them "
                            "(--allocate-node-cidrs)?",
                            known_.pods ? "this node's Node object has no spec.podCIDRs"
                                        : "this node's Node object has not been seen"));
            return;
        }
        plan_.rules.pods = *known_.pods;
        for (const base::Prefix& network : *known_.pods) {
            add(plan_.pod_networks, network);
            plan_.rules.notes.push_back(std::string(note_of_pods) + to_string(network));
        }
    }

    /// What makes the range one in which others may be; empty: nothing does.
    std::string clash_of(const base::Prefix& range) const {
        for (const base::Prefix& pods : plan_.pod_networks)
            if (overlap(range, pods))
                return "the pod network " + to_string(pods);
        for (const NodeNetwork& network : host_)
            if (network.prefix.length != 0 && overlap(range, network.prefix))
                return fmt::format("{} ({})", to_string(network.prefix), network.what);
        return {};
    }

    void plan_services() {
        std::vector<base::Prefix> ranges;
        for (const base::Prefix& range : config_.service_cluster_ip_range)
            add(ranges, range);
        std::size_t clashes = 0;
        const auto services = known_.services.value_or(std::vector<ServiceRange>());
        for (std::size_t i = 0; i < services.size() && i < most_service_ranges; ++i) {
            const ServiceRange& range = services[i];
            const std::string clash = clash_of(range.prefix);
            if (clash.empty()) {
                add(ranges, range.prefix);
                plan_.rules.notes.push_back(std::string(note_of_services) + to_string(range.prefix));
            } else if (!config_.allow_range_overlap && ++clashes <= most_told) {
                plan_.problems.push_back(fmt::format(
                    "ServiceCIDR {}: {} overlaps {}: connections to addresses there that no Service has are not "
                    "dropped; choose another range",
                    range.object, to_string(range.prefix), clash));
            }
        }
        if (clashes > most_told)
            plan_.problems.push_back(fmt::format("ServiceCIDRs: {} more ranges overlap others", clashes - most_told));
        if (services.size() > most_service_ranges)
            plan_.problems.push_back(fmt::format("ServiceCIDRs: of {} ranges only the first {} count as such, by name",
                                                 services.size(), most_service_ranges));
        if (!config_.allow_range_overlap)  // else there are other hosts in them
            plan_.rules.services = ranges;
        plan_.service_ranges = std::move(ranges);
    }

    const Config& config_;
    const ClusterNetworks& known_;
    const std::vector<NodeNetwork>& host_;
    NetworkPlan plan_;
};

}  // namespace

NetworkPlan plan_networks(const Config& config, const ClusterNetworks& known, const std::vector<NodeNetwork>& host) {
    return NetworkPlanner(config, known, host).plan();
}

void Networks::remember(const std::vector<std::string>& notes) {
    for (const std::string& note : notes)
        if (note.starts_with(note_of_pods)) {
            if (const auto prefix = base::parse_prefix(note.substr(note_of_pods.size())))
                put(known_.pods).push_back(*prefix);
        } else if (note.starts_with(note_of_services)) {
            if (const auto prefix = base::parse_prefix(note.substr(note_of_services.size())))
                put(known_.services).push_back({"", *prefix});
        }
    plan_ = plan_networks(config_, known_, {});
}

bool Networks::follow(const api::Store& store, bool knows_service_ranges, const ReadHost& read_host, bool again) {
    ClusterNetworks now = known_;
    if (const auto node = store.nodes().find(api::ObjectName{"", config_.node_name}); node != store.nodes().end())
        now.pods = node->pod_cidrs;
    if (knows_service_ranges) {
        now.services.emplace();
        for (const api::ServiceCidr& object : store.service_cidrs())
            for (const base::Prefix& range : object.cidrs)
                now.services->push_back({object.name.name, range});
    }
    if (now == known_ && !again)
        return false;
    known_ = std::move(now);
    const bool host_matters = known_.services && !known_.services->empty();
    NetworkPlan fresh = plan_networks(config_, known_, host_matters ? read_host() : std::vector<NodeNetwork>());
    return std::exchange(plan_, fresh) != fresh;
}

}  // namespace proxy
