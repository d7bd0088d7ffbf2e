// Holds every metric of podferry, by name, in one place. Names follow Prometheus' conventions: base units, _total for
// counters; the values of labels are closed sets (metric_labels.hpp).
#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <chrono>
#include <string>
#include <vector>

namespace proxy {

struct Metrics {
    Metrics();

    /// The Prometheus text format, version 0.0.4.
    std::string text() const;

    prometheus::Registry registry;
    std::vector<std::string> names;  ///< of all families

    // What there is.
    prometheus::Family<prometheus::Gauge>& objects;  // kind
    prometheus::Gauge& virtual_servers;
    prometheus::Gauge& virtual_servers_wanted;
    prometheus::Family<prometheus::Gauge>& real_servers;  // state, a label of server_state.hpp
    prometheus::Gauge& draining_real_servers;
    prometheus::Gauge& services_without_backends;
    prometheus::Family<prometheus::Gauge>& no_local_endpoints;  // traffic_policy, ip_family, as kube-proxy's
    prometheus::Gauge& conflicts;
    prometheus::Gauge& vetoed_pods;
    prometheus::Gauge& panicking_services;
    prometheus::Family<prometheus::Gauge>& checked_nodes;  // life=unknown|alive|suspect|dead
    prometheus::Gauge& node_incident;
    prometheus::Family<prometheus::Gauge>& firewall_drops;  // ip_family=IPv4|IPv6
    prometheus::Family<prometheus::Gauge>& other_proxy;     // proxy=kube-proxy|kube-router
    prometheus::Counter& taken_over_addresses;
    prometheus::Gauge& ipvs_connections;
    prometheus::Gauge& ipvs_connection_table_size;
    prometheus::Family<prometheus::Gauge>& range_size;  // range
    prometheus::Family<prometheus::Gauge>& range_used;  // range

    // The control loop.
    prometheus::Family<prometheus::Gauge>& start_seconds;     // phase=reading|planning|kernel|complete
    prometheus::Family<prometheus::Histogram>& sync_seconds;  // kind=full|incremental|audit
    prometheus::Histogram& programming_seconds;
    prometheus::Family<prometheus::Counter>& netlink_operations;  // op, result=ok|refused
    prometheus::Family<prometheus::Counter>& drift_repairs;       // object
    prometheus::Gauge& changes_pending;
    prometheus::Gauge& last_sync;
    prometheus::Counter& audits;
    prometheus::Counter& plans;
    prometheus::Family<prometheus::Counter>& healthz_answers;      // code, as kube-proxy's
    prometheus::Family<prometheus::Counter>& livez_answers;        // code, as kube-proxy's
    prometheus::Family<prometheus::Histogram>& conntrack_seconds;  // ip_family=IPv4|IPv6, as kube-proxy's
    prometheus::Family<prometheus::Counter>& conntrack_deleted;    // ip_family

    // The source.
    prometheus::Family<prometheus::Gauge>& problems;  // severity=error|warning
    prometheus::Gauge& source_problems;
    prometheus::Counter& transactions;

    // The Kubernetes API.
    prometheus::Family<prometheus::Counter>& api_requests;        // verb, code
    prometheus::Family<prometheus::Counter>& api_watch_restarts;  // resource, reason
    prometheus::Family<prometheus::Counter>& api_relists;         // resource
    prometheus::Family<prometheus::Counter>& api_decode_errors;   // resource
    prometheus::Family<prometheus::Gauge>& api_stale_seconds;     // resource
    prometheus::Gauge& api_held_removals;
    prometheus::Family<prometheus::Counter>& events_lost;  // reason=too_many|unreachable|forbidden|invalid|other

    // The prober.
    prometheus::Family<prometheus::Counter>& probes;             // type, result
    prometheus::Family<prometheus::Histogram>& probe_seconds;    // type
    prometheus::Family<prometheus::Counter>& probe_transitions;  // to
    prometheus::Family<prometheus::Counter>& node_findings;      // to, a life of checked_nodes
    prometheus::Gauge& probes_in_flight;
    prometheus::Gauge& probe_targets;
};

/// Histogram buckets of times from 1 ms to 60 s.
const prometheus::Histogram::BucketBoundaries& time_buckets();

}  // namespace proxy
