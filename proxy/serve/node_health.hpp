// Makes the answers of /healthz, /livez and /readyz. The rules and the answers are those of kube-proxy 1.37
// (pkg/proxy/healthcheck/proxy_health.go), the differences stand here. Pure: proxy/node knows the facts,
// admin.hpp serves.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "proxy/engine/reconciler.hpp"
#include "proxy/serve/page.hpp"

namespace proxy {

struct NodeHealth {
    /// All that is wanted has been programmed once, or an earlier run's work is in the kernel. kube-proxy counts itself
    /// healthy while it starts; a node that has never carried a connection is nothing for a load balancer.
    bool carries = false;
    /// The Node is deleted, or tainted by the cluster autoscaler.
    bool leaving = false;
    /// The kernel refuses more virtual servers, routes or elements than it holds of them. One object that it refuses is
    /// that object's problem, not the node's.
    bool mostly_refused = false;
    /// Since when the oldest change waits that has not been given to the kernel; nullopt: none does.
    std::optional<Time> waiting_since;
    /// When the kernel last held everything that was wanted; the epoch: never.
    std::chrono::system_clock::time_point last_sync;
    /// The kernel could not be spoken to, and no audit has succeeded since (rounds.hpp).
    bool failing = false;
};

/// Changes that wait longer are stuck. kube-proxy waits twice its sync period, by default 60 s; podferry has no such
/// period, and writes changes as they come.
inline constexpr std::chrono::seconds stuck_after{30};

/// Nothing is stuck.
bool is_healthy(const NodeHealth& health, Time now);

/// 200 when load balancers may send connections here. `wall` is the time of day at `now`.
Reply healthz_reply(const NodeHealth& health, Time now, std::chrono::system_clock::time_point wall);

/// 200 when podferry does its work, whatever becomes of the Node: what the kubelet asks, to restart it.
Reply livez_reply(const NodeHealth& health, Time now, std::chrono::system_clock::time_point wall);

/// kube-proxy has no such page: 200 once everything from the source has been programmed, while the kernel accepts it.
/// `waiting_for`: what is missing.
Reply readyz_reply(const NodeHealth& health, bool ready, const std::string& waiting_for,
                   std::chrono::system_clock::time_point wall);

}  // namespace proxy
