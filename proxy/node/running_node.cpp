#include "proxy/node/running_node.hpp"

#include <fmt/format.h>

#include <utility>

#include "proxy/host/freed_memory.hpp"
#include "proxy/log/log.hpp"
#include "proxy/sync/api_lookup.hpp"
#include "proxy/sync/spawn.hpp"

namespace proxy {

using Clock = std::chrono::steady_clock;

RunningNode::RunningNode(boost::asio::io_context& context, Config config, const NodeInputs& inputs, Time began)
    : moments_(parts_),
      parts_(context, std::move(config), inputs, began, moments_),
      node_watch_(context, parts_.engine, parts_.metrics,
                  {parts_.feed.find_node(), [this] { parts_.kernel_side.wake(); },
                   [this](const std::string& text) { parts_.announcer.tell_of_node(NodeWatch::reason, text); },
                   [this] { parts_.log_problems(); }}) {
    parts_.feed.tell_servers([this](const ServerAddress& server) {
        node_watch_.note_api_server(server);
        if (parts_.engine.planner().note_api_server(server))
            parts_.kernel_side.wake();
    });
}

void RunningNode::start() {
    keep_freed_memory(true);
    parts_.networks.remember(parts_.kernel_side.kernel().read_notes());
    parts_.kernel_side.kernel().set_networks(parts_.networks.plan().rules);
    moments_.look_around();
    parts_.kernel_side.open();
    parts_.clock.begin_phase();
    spawn(parts_.context,
          parts_.feed.source().run([this](api::Transaction transaction) { accept(std::move(transaction)); }));
}

void RunningNode::accept(api::Transaction transaction) {
    parts_.metrics.transactions.Increment();
    if (transaction.initial) {
        begin(std::move(transaction));
        return;
    }
    if (parts_.feed.source().of_cluster())
        parts_.changes.note(transaction);
    else
        parts_.changes.note_reading(std::chrono::system_clock::now());
    if (!transaction.same_problems)
        parts_.announcer.note_source_problems();
    parts_.engine.apply(std::move(transaction));
    node_watch_.follow();
    note_node();
    moments_.follow_networks(false);
    parts_.pod_probes.set_targets(parts_.engine.probing().exchange_changed());
    parts_.log_problems();
    parts_.kernel_side.wake();
}

/// Everything is known: it is planned and programmed in one go.
void RunningNode::begin(api::Transaction everything) {
    parts_.clock.end_phase(parts_.metrics, "reading");
    const Time start = Clock::now();
    const bool of_cluster = parts_.feed.source().of_cluster();
    if (of_cluster) {
        parts_.kernel_side.refresh();  // its server may have been away for long
        remember_api(parts_.config.state_dir, parts_.feed.server_urls());
    }
    parts_.engine.apply(std::move(everything));
    note_node();
    if (moments_.follow_networks(false))
        parts_.kernel_side.upkeep().put_back();
    moments_.follow_host();
    parts_.kernel_side.begin(of_cluster, parts_.clock);
    keep_freed_memory(false);
    parts_.clock.complete(parts_.metrics);
    parts_.metrics.sync_seconds.Add({{"kind", "full"}}, time_buckets()).Observe(seconds_since(start));
    log::info(parts_.kernel_side.schedule().is_failing() ? "not ready: the kernel cannot be programmed" : "ready",
              {{"services", std::to_string(parts_.engine.store().services().size())},
               {"virtual_servers", std::to_string(parts_.kernel_side.reconciler().mirror().virtual_servers.size())},
               {"seconds", fmt::format("{:.3f}", seconds_since(parts_.clock.began()))}});
    parts_.pod_probes.set_targets(parts_.engine.probing().exchange_changed());
    node_watch_.follow();
    parts_.announcer.tell_start();
    parts_.announcer.tell_read_only(parts_.kernel_side.upkeep().read_only());
}

void RunningNode::note_node() {
    const auto& nodes = parts_.engine.store().nodes();
    const auto found = nodes.find(api::ObjectName{"", parts_.config.node_name});
    const auto news = parts_.identity.note_node(found == nodes.end() ? nullptr : &*found);
    if (news.leaving_changed)
        log::info(parts_.identity.is_leaving() ? "this node is about to go: /healthz says so to load balancers"
                                               : "this node stays after all");
    if (news.follow)
        parts_.kernel_side.schedule().note_addresses();
}

}  // namespace proxy
