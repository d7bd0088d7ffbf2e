#include "proxy/node/node_loop.hpp"
#include "base/asio_address.hpp"
#include "base/rethrow.hpp"
#include "proxy/serve/health_reply.hpp"

#include <fmt/format.h>
#include <malloc.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <limits>

#include "api/folder/folder.hpp"
#include "netlink/host.hpp"
#include "netlink/routes.hpp"
#include "proxy/host/host.hpp"
#include "proxy/log/error_words.hpp"
#include "proxy/log/log.hpp"
#include "proxy/sync/cluster.hpp"

namespace proxy {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto audit_pause = 200ms;  // at least, between an audit and one that a notification asks for
constexpr auto kernel_retry = 1s;    // while the API server that is to be believed is away
constexpr auto fresh_enough = 1s;    // for what was read of the kernel at the start
constexpr std::size_t few = 10;      // virtual servers, whose loss would not be worth a doubt

netlink::LinuxKernelOptions kernel_options(const Config& config) {
    netlink::LinuxKernelOptions options;
    options.route_protocol = config.route_protocol;
    options.sources.assign(config.node_ip.begin(), config.node_ip.end());
    options.rules.pod_interface = config.pod_bridge_interface;
    if (!config.pod_interface_name_prefix.empty())
        options.rules.pod_interface = config.pod_interface_name_prefix + "*";
    options.rules.masquerade_all = config.masquerade_all;
    options.rules.fwmark = config.fwmark;
    return options;
}

/// While many large things come and go, what one frees serves the next, instead of fresh pages from the kernel each
/// time. Afterwards the rest is given back, and glibc's defaults hold.
void keep_freed_memory(bool keep) {
    constexpr int default_threshold = 128 * 1024;
    constexpr int most_that_malloc_takes = 32 * 1024 * 1024;
    ::mallopt(M_MMAP_THRESHOLD, keep ? most_that_malloc_takes : default_threshold);
    ::mallopt(M_TRIM_THRESHOLD, keep ? std::numeric_limits<int>::max() : default_threshold);
    if (!keep)
        ::malloc_trim(0);
}

}  // namespace

NodeLoop::NodeLoop(asio::io_context& context, Config config, NodeInputs inputs, Time began)
    : context_(context),
      config_(std::move(config)),
      inputs_(std::move(inputs)),
      began_(began),
      hooks_(api_hooks(metrics_)),
      kernel_(kernel_options(config_)),
      state_file_(config_.state_dir),
      prober_(
          context.get_executor(),
          {static_cast<std::size_t>(config_.probes_in_flight), config_.kubelet_compatible_counters,
           [this] {
               return std::string(tracking_drops_.rising(read_tracking_drops(), Clock::now())
                                      ? "connection tracking of this host is full and drops packets"
                                      : "");
           }},
          [this](const health::Report& report) { take_report(report); },
          [this](const health::Attempt& attempt) { take_attempt(attempt); }),
      engine_(config_, facts_of(config_, netlink::host_addresses()), state_file_.load(), inputs_.manifests.empty()),
      reconciler_(kernel_, engine_.desired().wishes()),
      flow_cleaner_(context, engine_.desired(), metrics_),
      health_server_(context.get_executor(),
                     [this](std::uint16_t port) -> std::optional<Reply> {
                         const auto found = engine_.health_ports().find(port);
                         return found ? std::optional(health_reply(*found, is_healthy(health(), Clock::now())))
                                      : std::nullopt;
                     }),
      host_watch_(config_),
      timer_(context) {
    if (!inputs_.manifests.empty()) {
        source_ =
            std::make_unique<api::Folder>(context, api::FolderOptions{inputs_.manifests, config_.folder_debounce});
        return;
    }
    for (const ServerAddress& server : server_addresses(*inputs_.access))
        engine_.note_api_server(server);
    hooks_.connected = [this](const asio::ip::tcp::endpoint& server) {
        if (engine_.note_api_server({base::from_asio(server.address()), server.port()}))
            wake();
    };
    auto cluster = std::make_unique<api::KubernetesSource>(
        context, api::KubernetesOptions{*inputs_.access, config_.node_name, config_.relist_hold}, hooks_);
    post_ = [raw = cluster.get()](api::EventNote note) { return raw->post(std::move(note)); };
    source_ = std::move(cluster);
}

void NodeLoop::spawn(asio::awaitable<void> task) {
    asio::co_spawn(context_, std::move(task), base::rethrow);
}

void NodeLoop::start() {
    keep_freed_memory(true);
    networks_.remember(kernel_.read_notes());
    kernel_.set_networks(networks_.plan().rules);
    look_at_host();
    const auto prepared = prepare();
    for (const auto* things : {&prepared.done, &prepared.followed})
        for (const std::string& thing : *things)
            log::info("put in place", {{"what", thing}});
    log_new_problems();
    if (!prepared.complete)
        throw std::runtime_error("podferry cannot begin without its device and its table of nftables");
    adopt();
    monitor_ = std::make_unique<netlink::Monitor>(
        netlink::OwnChanges{config_.route_protocol, kernel_.route_port(), kernel_.nft_port()});
    listen_to_kernel();
    reading_since_ = Clock::now();
    spawn(source_->run([this](api::Transaction transaction) { take(std::move(transaction)); }));
}

/// Everything is known: it is planned and programmed in one go, the most needed first.
void NodeLoop::begin(api::Transaction everything) {
    Time mark = reading_since_;
    const auto phase_done = [&](const char* phase) {
        metrics_.start_seconds.Add({{"phase", phase}}).Set(seconds_since(mark));
        mark = Clock::now();
    };
    phase_done("reading");
    const Time planned_from = mark;
    if (source_->of_cluster() && Clock::now() > adopted_ + fresh_enough)
        adopt();
    engine_.apply(std::move(everything));
    take_node();
    if (follow_networks())
        put_back();
    follow_addresses();
    engine_.plan_dirty(reconciler_.mirror(), is_needed_first);
    program_everything_now();
    engine_.plan_dirty(reconciler_.mirror());
    reconciler_.disown_foreign();
    sweep_or_hold();
    phase_done("planning");
    program_everything_now();
    phase_done("kernel");
    keep_freed_memory(false);
    metrics_.start_seconds.Add({{"phase", "complete"}}).Set(seconds_since(began_));
    metrics_.sync_seconds.Add({{"kind", "full"}}, time_buckets()).Observe(seconds_since(planned_from));
    ready_ = true;
    tell_conflicts();
    tell_plan_problems();
    log_new_problems();
    flow_cleaner_.note_all(reconciler_.mirror());
    finish_sync();
    log::info(rounds_.failed() ? "not ready: the kernel cannot be programmed" : "ready",
              {{"services", std::to_string(engine_.store().services().size())},
               {"virtual_servers", std::to_string(reconciler_.mirror().virtual_servers.size())},
               {"seconds", fmt::format("{:.3f}", seconds_since(began_))}});
    set_targets();
    next_audit_ = Clock::now() + config_.audit_period;
    woken_ = true;
    spawn(control());
    post({"Starting", "podferry carries the Services of this node", false, "Node", config_.node_name, "",
          config_.node_name});
    tell_read_only();
}

/// What vanished while we were down is removed; unless that is most of what the kernel has, and the word of an API
/// server that may have lost its data.
void NodeLoop::sweep_or_hold() {
    const auto mostly_gone = [](std::size_t present, std::size_t wanted) {
        return present > few && wanted < present / 2;
    };
    const bool doubtful =
        mostly_gone(reconciler_.mirror().virtual_servers.size(), engine_.desired().wishes().virtual_servers().size()) ||
        mostly_gone(reconciler_.real_servers_present(), reconciler_.real_servers_wanted());
    if (source_->of_cluster() && config_.relist_hold.count() > 0 && doubtful)
        sweep_at_ = Clock::now() + config_.relist_hold;
    else
        reconciler_.sweep();
}

/// Once its time has come; but not on the word of a server that is away by now.
void NodeLoop::sweep_when_due() {
    if (!sweep_at_ || Clock::now() < *sweep_at_)
        return;
    if (!source_->is_current()) {
        sweep_at_ = Clock::now() + kernel_retry;
        return;
    }
    sweep_at_.reset();
    reconciler_.sweep();
}

void NodeLoop::wake() {
    if (ready_ && !unsynced_since_)
        unsynced_since_ = Clock::now();
    woken_ = true;
    timer_.cancel();
}

asio::awaitable<void> NodeLoop::sleep_until_needed() {
    while (!woken_ || !rounds_.may_begin(Clock::now())) {
        Time due = next_audit_;
        if (const auto retry = reconciler_.next_retry())
            due = std::min(due, *retry);
        due = std::min(due, sweep_at_.value_or(due));
        if (!unsynced_since_)  // else the next sync tries
            due = std::min(due, health_server_.next_retry().value_or(due));
        if (!engine_.draining().empty())
            due = std::min(due, next_look_);
        due = std::min(due, engine_.planner().next_slow_start().value_or(due));
        if (rounds_.failed())
            due = rounds_.again();
        if (Clock::now() >= due)
            break;
        timer_.expires_at(due);
        boost::system::error_code cancelled;
        co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    }
    woken_ = false;
}

asio::awaitable<void> NodeLoop::control() {
    for (;;) {
        co_await sleep_until_needed();
        std::optional<std::string> failure;
        try {
            co_await round();
        } catch (const std::exception& error) {
            failure = words_of(error);
        }
        if (failure)
            note_failure(*failure);
    }
}

asio::awaitable<void> NodeLoop::round() {
    hear_of_damage();
    sweep_when_due();
    const bool due = audit_wanted_ || Clock::now() >= next_audit_ || rounds_.failed();
    if (std::exchange(addresses_changed_, false) ||
        (due && netlink::ipv6_is_on(netlink::device_name) != engine_.facts().has_ipv6))
        follow_addresses();
    if (rounds_.failed()) {
        co_await audit();
        rounds_.audited();
        log_new_problems();
    }
    look_at_draining();
    engine_.planner().review_slow_start(Clock::now());
    co_await sync();
    if (audit_wanted_ && Clock::now() < last_audit_ + audit_pause)
        next_audit_ = std::min(next_audit_, last_audit_ + audit_pause);
    else if (audit_wanted_ || Clock::now() >= next_audit_) {
        co_await audit();
        co_await sync();
    }
}

/// Nobody knows what the kernel has now.
void NodeLoop::note_failure(const std::string& reason) {
    if (!unsynced_since_)
        unsynced_since_ = Clock::now();
    rounds_.fail(reason, Clock::now());
    log_new_problems();
}

}  // namespace proxy
