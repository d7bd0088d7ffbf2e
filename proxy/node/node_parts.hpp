// Holds the parts of the running node, and gathers what they say. Each decides by itself; running_node.hpp and
// node_moments.hpp join them.
#pragma once

#include <boost/asio/io_context.hpp>
#include <vector>

#include "proxy/engine/engine.hpp"
#include "proxy/engine/trigger_times.hpp"
#include "proxy/host/host_watch.hpp"
#include "proxy/host/networks.hpp"
#include "proxy/host/node_identity.hpp"
#include "proxy/node/feed.hpp"
#include "proxy/serve/node_status.hpp"
#include "proxy/serve/service_health.hpp"
#include "proxy/sync/announcer.hpp"
#include "proxy/sync/kernel_side.hpp"
#include "proxy/sync/pod_probes.hpp"
#include "proxy/sync/start_clock.hpp"
#include "proxy/sync/state_file.hpp"

namespace proxy {

struct NodeParts {
    /// Throws when the kernel cannot be spoken to, or an API server is no URL.
    NodeParts(boost::asio::io_context& context, Config configuration, const NodeInputs& inputs, Time began,
              KernelRole& role);
    NodeParts(const NodeParts&) = delete;
    NodeParts& operator=(const NodeParts&) = delete;

    /// Everything from the source has been programmed once.
    bool is_ready() const { return kernel_side.schedule().has_begun(); }
    /// What for, before that; empty when it is ready.
    std::string waiting_for() const { return is_ready() ? "" : feed.source().waiting_for(); }
    NodeHealth health() const;
    NodeState state() const;
    /// All problems but those of the source, of objects and of plans.
    std::vector<api::Problem> problems() const;
    /// Logs those of them and of objects that have come and gone.
    void log_problems();
    /// What cannot be listened on for Services has changed.
    void tell_listen_failures();

    boost::asio::io_context& context;
    const Config config;
    StartClock clock;
    Metrics metrics;
    Feed feed;
    NodeIdentity identity;
    HostWatch host_watch;
    Networks networks;
    StateFile state_file;
    PodProbes pod_probes;
    Engine engine;
    KernelSide kernel_side;
    ServiceHealth service_health;
    Announcer announcer;
    TriggerTimes changes;  ///< that the kernel does not hold yet
};

}  // namespace proxy
