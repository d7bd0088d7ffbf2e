#include "proxy/serve/node_status.hpp"

#include <string>
#include <utility>

#include "proxy/engine/engine_problems.hpp"
#include "proxy/serve/metric_labels.hpp"

namespace proxy {
namespace {

using WallTime = std::chrono::system_clock::time_point;

double seconds(std::chrono::duration<double> time) {
    return time.count();
}

struct ProblemCounts {
    std::size_t errors = 0;
    std::size_t warnings = 0;
    std::size_t errors_of_input = 0;  // of a file or an object, not of this host

    void add(const std::vector<api::Problem>& problems) {
        for (const api::Problem& problem : problems) {
            ++(problem.warning ? warnings : errors);
            const bool of_input = !problem.origin.file.empty() || !problem.object.empty();
            errors_of_input += !problem.warning && of_input ? 1 : 0;
        }
    }
};

/// Counts as many as status_of() has; the texts of conflicts and plans, which cost what they are, are not needed for
/// that.
ProblemCounts count_problems(const NodeState& node, const api::Condition& condition) {
    ProblemCounts counts;
    counts.errors = counts.errors_of_input = node.engine.desired().claims().conflict_count();
    counts.warnings = node.engine.planner().ledger().findings.problems().count();
    counts.add(node.engine.intake().source_problems());
    counts.add(other_problems(node.engine));
    counts.add(node.problems);
    counts.add(condition.ailments);
    return counts;
}

KernelCounts count_kernel_objects(const NodeState& node) {
    KernelCounts counts;
    counts.virtual_servers_wanted = node.engine.desired().wishes().virtual_servers().size();
    for (const ServerState state : all_server_states)
        counts.real_servers[state] = 0;
    const netlink::KernelState& mirror = node.reconciler.mirror();
    for (const auto& [server, state] : mirror.virtual_servers) {
        if (!node.ready && !recorded_as_ours(server, mirror))
            continue;
        ++counts.virtual_servers;
        for (const auto& [real, weight] : state.real_servers)
            ++counts.real_servers[node.engine.state_of(server, real, weight)];
    }
    return counts;
}

/// Gives all but the problems.
StatusView counts_of(const NodeState& node, Time now, WallTime wall) {
    StatusView view;
    view.ready = node.ready;
    view.waiting_for = node.ready ? "" : node.source.waiting_for();
    view.uptime_s = seconds(now - node.began);
    view.source = node.source.name();
    const api::Store& store = node.engine.store();
    view.objects = {
        {"Service", store.services().size()}, {"EndpointSlice", store.slice_count()}, {"Node", store.nodes().size()}};
    view.kernel = count_kernel_objects(node);
    view.changes_pending = node.reconciler.changes_pending();
    view.changes_refused = node.reconciler.next_retry().has_value();
    view.healthy = is_healthy(node.health, now);
    view.drift_repairs = node.drift_repairs;
    if (node.health.last_sync != WallTime())
        view.last_sync_age_s = seconds(wall - node.health.last_sync);
    for (const health::NodeLife life : all_node_lives)
        if (const std::size_t count = node.engine.nodes().count(life); count > 0)
            view.checked_nodes[std::string(word(life))] = count;
    view.probe_targets = node.engine.probing().containers();
    if (!node.source.of_cluster()) {  // of the API, pods are never asked for, and it allocates itself
        view.objects["Pod"] = store.pods().size();
        view.ranges = node.engine.intake().allocator().use();
    }
    return view;
}

void set_local_gaps(Metrics& metrics, const Engine& engine) {
    for (const bool external : {false, true})
        for (const bool ipv6 : {false, true})
            metrics.no_local_endpoints
                .Add({{"traffic_policy", external ? "external" : "internal"}, {"ip_family", ipv6 ? "IPv6" : "IPv4"}})
                .Set(static_cast<double>(engine.planner().ledger().findings.services_with({external, ipv6})));
}

void set_source_gauges(Metrics& metrics, const api::Condition& condition) {
    for (const auto& [resource, age] : condition.staleness)
        metrics.api_stale_seconds.Add({{"resource", resource}}).Set(age);
    metrics.api_held_removals.Set(static_cast<double>(condition.held));
}

void set_problem_gauges(Metrics& metrics, const ProblemCounts& counts) {
    metrics.problems.Add({{"severity", "error"}}).Set(static_cast<double>(counts.errors));
    metrics.problems.Add({{"severity", "warning"}}).Set(static_cast<double>(counts.warnings));
    metrics.source_problems.Set(static_cast<double>(counts.errors_of_input));
}

}  // namespace

/// The source's ailments are logged by itself, and seldom (api_hooks).
StatusView status_of(const NodeState& node, Time now, WallTime wall) {
    StatusView view = counts_of(node, now, wall);
    view.problems = problems_of(node.engine);
    view.problems.insert(view.problems.end(), node.problems.begin(), node.problems.end());
    for (api::Problem& problem : node.source.condition().ailments)
        view.problems.push_back(std::move(problem));
    return view;
}

void set_gauges(Metrics& metrics, const NodeState& node, Time now, WallTime wall) {
    const StatusView view = counts_of(node, now, wall);
    for (const auto& [kind, count] : view.objects)
        metrics.objects.Add({{"kind", kind}}).Set(static_cast<double>(count));
    metrics.plans.Increment(static_cast<double>(node.engine.planner().plans()) - metrics.plans.Value());
    metrics.virtual_servers.Set(static_cast<double>(view.kernel.virtual_servers));
    metrics.virtual_servers_wanted.Set(static_cast<double>(view.kernel.virtual_servers_wanted));
    for (const auto& [state, count] : view.kernel.real_servers)
        metrics.real_servers.Add({{"state", std::string(label(state))}}).Set(static_cast<double>(count));
    metrics.draining_real_servers.Set(static_cast<double>(node.engine.planner().ledger().departures.draining().size()));
    metrics.services_without_backends.Set(
        static_cast<double>(node.engine.planner().ledger().findings.services_without_backends()));
    set_local_gaps(metrics, node.engine);
    metrics.firewall_drops.Add({{"ip_family", "IPv4"}}).Set(node.firewall_drops4 ? 1 : 0);
    metrics.firewall_drops.Add({{"ip_family", "IPv6"}}).Set(node.firewall_drops6 ? 1 : 0);
    metrics.other_proxy.Add({{"proxy", "kube-proxy"}}).Set(node.kube_proxy_is_here ? 1 : 0);
    metrics.other_proxy.Add({{"proxy", "kube-router"}}).Set(node.kube_router_is_here ? 1 : 0);
    metrics.taken_over_addresses.Increment(static_cast<double>(node.taken_over_addresses) -
                                           metrics.taken_over_addresses.Value());
    metrics.conflicts.Set(static_cast<double>(node.engine.desired().claims().conflict_count()));
    metrics.vetoed_pods.Set(static_cast<double>(node.engine.probing().second_opinion().ejections().out()));
    for (const health::NodeLife life : all_node_lives)
        metrics.checked_nodes.Add({{"life", std::string(word(life))}})
            .Set(static_cast<double>(node.engine.nodes().count(life)));
    metrics.node_incident.Set(node.engine.nodes().ejections().incident().empty() ? 0 : 1);
    metrics.panicking_services.Set(static_cast<double>(node.engine.planner().ledger().guards.panicking()));
    for (const RangeUse& range : view.ranges) {
        metrics.range_size.Add({{"range", range.range}}).Set(static_cast<double>(range.size));
        metrics.range_used.Add({{"range", range.range}}).Set(static_cast<double>(range.used));
    }
    metrics.changes_pending.Set(static_cast<double>(view.changes_pending));
    metrics.last_sync.Set(seconds(node.health.last_sync.time_since_epoch()));
    const api::Condition condition = node.source.condition();
    set_source_gauges(metrics, condition);
    set_problem_gauges(metrics, count_problems(node, condition));
    metrics.probes_in_flight.Set(static_cast<double>(node.probes_in_flight));
    metrics.probe_targets.Set(static_cast<double>(view.probe_targets));
}

}  // namespace proxy
