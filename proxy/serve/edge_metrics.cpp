#include "proxy/serve/edge_metrics.hpp"

namespace proxy {
namespace {

auto& gauge(Metrics& metrics, const char* name, const char* help) {
    metrics.names.emplace_back(name);
    return prometheus::BuildGauge().Name(name).Help(help).Register(metrics.registry);
}

auto& counter(Metrics& metrics, const char* name, const char* help) {
    metrics.names.emplace_back(name);
    return prometheus::BuildCounter().Name(name).Help(help).Register(metrics.registry);
}

}  // namespace

EdgeMetrics::EdgeMetrics(Metrics& metrics)
    : backends(gauge(metrics, "podferry_edge_backends",
                     "Nodes or real servers of an edge's front ends, by what becomes of them.")),
      transitions(counter(metrics, "podferry_edge_check_transitions_total",
                          "Changes of what an edge's health checks find, by new state.")),
      panicking(gauge(metrics, "podferry_edge_panicking_front_ends",
                      "Front ends of which most backends fail, so that none is left out for that.")
                    .Add({})),
      incident(gauge(metrics, "podferry_edge_incident",
                     "1: all backends fell silent at once, so that this edge may be cut off itself.")
                   .Add({})),
      checks(gauge(metrics, "podferry_edge_checks", "Health checks that an edge runs.").Add({})) {
    for (const char* found : {"unknown", "passes", "says_no", "refuses", "silent"})
        transitions.Add({{"to", found}});
}

}  // namespace proxy
