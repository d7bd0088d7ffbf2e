#include "proxy/serve/metrics.hpp"

#include <prometheus/text_serializer.h>

#include "api/cluster/event_post.hpp"
#include "proxy/serve/metric_labels.hpp"

namespace proxy {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;
using prometheus::Registry;

auto& gauge(std::vector<std::string>& names, Registry& registry, const char* name, const char* help) {
    names.emplace_back(name);
    return BuildGauge().Name(name).Help(help).Register(registry);
}

auto& counter(std::vector<std::string>& names, Registry& registry, const char* name, const char* help) {
    names.emplace_back(name);
    return BuildCounter().Name(name).Help(help).Register(registry);
}

auto& histogram(std::vector<std::string>& names, Registry& registry, const char* name, const char* help) {
    names.emplace_back(name);
    return BuildHistogram().Name(name).Help(help).Register(registry);
}

}  // namespace

/// kube-proxy's: 0.25, 0.5, 1 to 59 by 1, 60 to 115 by 5, 120 to 300 by 30.
prometheus::Histogram::BucketBoundaries programming_buckets() {
    prometheus::Histogram::BucketBoundaries buckets = {0.25, 0.5};
    for (int second = 1; second <= 300; second += second < 60 ? 1 : second < 120 ? 5 : 30)
        buckets.push_back(second);
    return buckets;
}

const prometheus::Histogram::BucketBoundaries& time_buckets() {
    static const prometheus::Histogram::BucketBoundaries buckets = {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2,
                                                                    0.5,   1,     2,     5,    10,   20,   60};
    return buckets;
}

Metrics::Metrics()
    : objects(gauge(names, registry, "podferry_objects", "Kubernetes objects in force, by kind.")),
      virtual_servers(
          gauge(names, registry, "podferry_virtual_servers", "IPVS virtual servers of podferry's in the kernel.")
              .Add({})),
      virtual_servers_wanted(gauge(names, registry, "podferry_virtual_servers_wanted",
                                   "IPVS virtual servers that the kernel is to have for the Services.")
                                 .Add({})),
      real_servers(gauge(names, registry, "podferry_real_servers",
                         "Real servers in the kernel, by state: active (full weight), slow_start (less), and with "
                         "weight 0 draining, failed_probe, and not_probed (not since podferry started).")),
      draining_real_servers(gauge(names, registry, "podferry_draining_real_servers",
                                  "Real servers that have left and keep their connections for now.")
                                .Add({})),
      services_without_backends(gauge(names, registry, "podferry_services_without_backends",
                                      "Services with an address and no real server that gets connections.")
                                    .Add({})),
      no_local_endpoints(gauge(names, registry, "podferry_sync_proxy_rules_no_local_endpoints_total",
                               "Services whose Local traffic policy finds no endpoint on this node, while there are "
                               "some elsewhere, by policy and IP family.")),
      conflicts(gauge(names, registry, "podferry_conflicts",
                      "Front ends (address, port, protocol) that a Service wants and an older one has.")
                    .Add({})),
      vetoed_pods(gauge(names, registry, "podferry_second_opinion_out_pods",
                        "Pods of this node that podferry's own probes would have out though the API says ready.")
                      .Add({})),
      panicking_services(gauge(names, registry, "podferry_second_opinion_panic_services",
                               "Services of which own probes fail most endpoints, so that nobody is taken out.")
                             .Add({})),
      checked_nodes(gauge(names, registry, "podferry_checked_nodes",
                          "Other nodes that carry endpoints and are checked, by what is found of them.")),
      node_incident(gauge(names, registry, "podferry_node_check_incident",
                          "1: so many nodes fell silent at once that this one may be cut off: none is taken for dead.")
                        .Add({})),
      firewall_drops(
          gauge(names, registry, "podferry_firewall_drops_services",
                "1: new connections to Services come to this node and are dropped before IPVS, by IP family.")),
      other_proxy(gauge(names, registry, "podferry_other_proxy",
                        "1: another service proxy is on this node, or has left tables, chains or a device, by proxy.")),
      taken_over_addresses(counter(names, registry, "podferry_taken_over_addresses_total",
                                   "Addresses of Services taken off the devices of other service proxies.")
                               .Add({})),
      ipvs_connections(gauge(names, registry, "podferry_ipvs_connections",
                             "Connections of podferry's virtual servers in IPVS, as the last audit counted them.")
                           .Add({})),
      ipvs_connection_table_size(gauge(names, registry, "podferry_ipvs_connection_table_size",
                                       "Lists in IPVS's connection table; each packet searches one of them.")
                                     .Add({})),
      range_size(gauge(names, registry, "podferry_range_size", "Addresses or ports in a configured range.")),
      range_used(gauge(names, registry, "podferry_range_used", "Addresses or ports of a range that Services hold.")),
      start_seconds(
          gauge(names, registry, "podferry_start_seconds",
                "Duration of the start, by phase; complete: from the program's start to the last change. 0: not yet.")),
      sync_seconds(histogram(names, registry, "podferry_sync_duration_seconds",
                             "Time to plan and program a set of changes, or to audit the kernel, by kind.")),
      programming_seconds(histogram(names, registry, "podferry_network_programming_duration_seconds",
                                    "Time from a change of endpoints, as the slice's annotation "
                                    "last-change-trigger-time tells it (in a folder: from its reading), to the kernel.")
                              .Add({}, programming_buckets())),
      netlink_operations(counter(names, registry, "podferry_netlink_operations_total",
                                 "Changes given to the kernel, by operation and result.")),
      drift_repairs(counter(names, registry, "podferry_drift_repairs_total",
                            "Kernel objects of ours that somebody else had changed, by kind of object.")),
      changes_pending(
          gauge(names, registry, "podferry_changes_pending", "Changes that the kernel has not accepted yet.").Add({})),
      last_sync(gauge(names, registry, "podferry_last_sync_timestamp_seconds",
                      "Unix time at which the kernel last held everything that was wanted.")
                    .Add({})),
      audits(counter(names, registry, "podferry_audits_total", "Completed comparisons with the kernel.").Add({})),
      plans(counter(names, registry, "podferry_plans_total",
                    "Services that were planned; a change should plan those that it is about, and no others.")
                .Add({})),
      healthz_answers(counter(names, registry, "podferry_proxy_healthz_total", "Answers of /healthz, by status.")),
      livez_answers(counter(names, registry, "podferry_proxy_livez_total", "Answers of /livez, by status.")),
      conntrack_seconds(histogram(names, registry, "podferry_conntrack_reconciler_sync_duration_seconds",
                                  "Time to look through connection tracking for stale entries, by IP family.")),
      conntrack_deleted(counter(names, registry, "podferry_conntrack_reconciler_deleted_entries_total",
                                "Stale entries of connection tracking that were removed, by IP family.")),
      problems(gauge(names, registry, "podferry_problems",
                     "Problems that podferry status lists, of the input, the kernel and this host, by severity.")),
      source_problems(gauge(names, registry, "podferry_source_problems",
                            "Mistakes in the input that keep an object from being used, or an older version in force.")
                          .Add({})),
      transactions(
          counter(names, registry, "podferry_source_transactions_total", "Sets of changes that the source delivered.")
              .Add({})),
      api_requests(
          counter(names, registry, "podferry_api_requests_total",
                  "Requests to the Kubernetes API, by verb and code or its class, such as 5xx (<error>: no answer).")),
      api_watch_restarts(counter(names, registry, "podferry_api_watch_restarts_total",
                                 "Watches that ended and were begun again, by resource and reason.")),
      api_relists(counter(names, registry, "podferry_api_relists_total", "Lists after the first one, by resource.")),
      api_decode_errors(counter(names, registry, "podferry_api_decode_errors_total",
                                "Objects of the API that could not be used, by resource.")),
      api_stale_seconds(gauge(names, registry, "podferry_api_stale_seconds",
                              "Seconds since something was last heard about a resource; 0 while it is watched.")),
      api_held_removals(gauge(names, registry, "podferry_api_held_removals",
                              "Objects that a list suddenly lacked and that stay in force for now (relist_hold).")
                            .Add({})),
      events_lost(counter(names, registry, "podferry_events_lost_total",
                          "Events that were not written to the API, by reason.")),
      probes(counter(names, registry, "podferry_probe_total", "Probe attempts, by type and result.")),
      probe_seconds(
          histogram(names, registry, "podferry_probe_duration_seconds", "Duration of probe attempts, by type.")),
      probe_transitions(counter(names, registry, "podferry_probe_state_transitions_total",
                                "Changes of a container's verdict, by new state.")),
      node_findings(counter(names, registry, "podferry_node_check_transitions_total",
                            "Changes of what is found of other nodes, by new state.")),
      probes_in_flight(gauge(names, registry, "podferry_probes_in_flight", "Probe attempts that run now.").Add({})),
      probe_targets(gauge(names, registry, "podferry_probe_targets", "Containers that are probed.").Add({})) {
    gauge(names, registry, "podferry_build_info", "Always 1; the version is a label.")
        .Add({{"version", PODFERRY_VERSION}})
        .Set(1);
    create_known_labels(*this);
    for (const std::string_view reason : api::event_losses)
        events_lost.Add({{"reason", std::string(reason)}});
}

std::string Metrics::text() const {
    return prometheus::TextSerializer().Serialize(registry.Collect());
}

}  // namespace proxy
