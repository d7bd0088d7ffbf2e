// Makes `podferry status` and the gauges of the metrics out of what the parts of a running node know.
// Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "api/objects/source.hpp"
#include "proxy/engine/engine.hpp"
#include "proxy/engine/reconciler.hpp"
#include "proxy/engine/view.hpp"
#include "proxy/serve/metrics.hpp"
#include "proxy/serve/node_health.hpp"

namespace proxy {

/// A moment of the running node. What it refers to must outlive it.
struct NodeState {
    const Engine& engine;
    const Reconciler& reconciler;
    const api::Source& source;
    NodeHealth health;
    bool ready = false;  ///< everything from the source has been programmed once
    Time began;          ///< when the program was started
    std::uint64_t drift_repairs = 0;
    std::size_t probes_in_flight = 0;
    bool firewall_drops4 = false;  ///< the host's firewall drops what goes to Services by IPv4
    bool firewall_drops6 = false;
    bool kube_proxy_is_here = false;  ///< or what it has left
    bool kube_router_is_here = false;
    std::size_t taken_over_addresses = 0;  ///< from devices of other proxies, since the start
    std::vector<api::Problem> problems;    ///< all but those of the source, of objects and of plans
};

/// `wall` is the time of day at `now`.
StatusView status_of(const NodeState& node, Time now, std::chrono::system_clock::time_point wall);

/// Brings up to date what the page of metrics says of the moment.
void set_gauges(Metrics& metrics, const NodeState& node, Time now, std::chrono::system_clock::time_point wall);

}  // namespace proxy
