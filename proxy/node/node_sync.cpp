// The running node's way to the kernel: steps, audits, and what is counted and said of them.
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <iterator>
#include <limits>

#include "netlink/capabilities.hpp"
#include "netlink/kernel_modules.hpp"
#include "proxy/engine/turns.hpp"
#include "proxy/host/host_settings.hpp"
#include "proxy/host/limits.hpp"
#include "proxy/log/error_words.hpp"
#include "proxy/log/log.hpp"
#include "proxy/node/node_loop.hpp"
#include "proxy/serve/metric_labels.hpp"

namespace proxy {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

constexpr std::size_t audit_slice = 256;  // virtual servers whose real servers are read in one go
constexpr std::size_t look_slice = 1024;  // virtual servers whose connections are counted in one look
constexpr auto look_period = std::chrono::seconds(1);

/// The kernel answers ENOENT to a scheduler that it has not, and cannot load (ip_vs_add_service, ip_vs_edit_service).
std::optional<std::string> missing_scheduler(const Refused& refused) {
    if (refused.error != std::errc::no_such_file_or_directory)
        return std::nullopt;
    if (const auto* add = std::get_if<netlink::AddVirtualServer>(&refused.change))
        return add->settings.scheduler;
    if (const auto* edit = std::get_if<netlink::EditVirtualServer>(&refused.change))
        return edit->settings.scheduler;
    return std::nullopt;
}

}  // namespace

void NodeLoop::adopt() {
    kernel_.take_connections_seen();
    reconciler_.adopt();
    count_connections();
    adopted_ = Clock::now();
    adopted_something_ = !reconciler_.mirror().routes.empty();
}

void NodeLoop::program_everything_now() {
    try {
        while (!rounds_.failed() && (step_once(std::numeric_limits<std::size_t>::max()) > 0 || !reconciler_.idle())) {
        }
    } catch (const std::exception& error) {
        note_failure(words_of(error));
    }
}

/// All that is dirty is planned before any of it is given to the kernel: what one Service loses and another one gets is
/// never nobody's in between.
asio::awaitable<void> NodeLoop::plan() {
    if (!engine_.planner().is_dirty())
        co_return;
    for (bool more = true; more;) {
        more = engine_.plan_slice(reconciler_.mirror(), turns::plan_slice);
        co_await asio::post(context_, asio::use_awaitable);
    }
    tell_conflicts();
    tell_plan_problems();
    co_await asio::post(context_, asio::use_awaitable);
}

/// Until the kernel holds all that is wanted, or refuses what is left. In turns, between which the loop does what else
/// is to be done.
asio::awaitable<void> NodeLoop::sync() {
    const Time start = Clock::now();
    std::size_t changes = 0;
    for (;;) {
        co_await plan();
        const std::size_t handled = step_once(turns::batch_size);
        if (handled == 0 && reconciler_.idle())
            break;
        changes += handled;
        co_await asio::post(context_, asio::use_awaitable);
    }
    if (changes > 0)
        metrics_.sync_seconds.Add({{"kind", "incremental"}}, time_buckets()).Observe(seconds_since(start));
    const bool refused = reconciler_.next_retry().has_value();
    bool all = std::exchange(changes_refused_, refused) || refused;
    while (engine_.settle_health_ports(reconciler_.mirror(), std::exchange(all, false), turns::port_slice))
        co_await asio::post(context_, asio::use_awaitable);
    finish_sync();
}

std::size_t NodeLoop::step_once(std::size_t limit) {
    const bool say = log::enabled(log::Level::debug);
    const StepResult result = reconciler_.step(Clock::now(), limit, [&](const netlink::Change& change) {
        if (say)
            log::debug("applied", {{"change", netlink::to_string(change)}});
        flow_cleaner_.note(change, reconciler_.mirror());
    });
    account(result);
    return result.handled;
}

void NodeLoop::finish_sync() {
    flow_cleaner_.kick();
    serve_health_ports();
    if (!source_->of_cluster())
        state_file_.save(engine_.intake().allocator().choices());
    if (told_refusals_ != reconciler_.refusals().version()) {
        told_refusals_ = reconciler_.refusals().version();
        log_new_problems();
    }
    if (!reconciler_.idle() || rounds_.failed()) {
        if (!unsynced_since_)
            unsynced_since_ = Clock::now();
        return;
    }
    unsynced_since_.reset();
    const auto now = std::chrono::system_clock::now();
    if (!reconciler_.next_retry())  // else the kernel lacks what it refuses
        last_sync_ = now;
    for (const auto& took : changes_.exchange(now))
        metrics_.programming_seconds.Observe(took.count());
}

netlink::LinuxKernel::Prepared NodeLoop::prepare() {
    auto prepared = kernel_.prepare(host_changed_);
    auto settings = put_host_settings(config_, kernel_);
    kernel_problems_ = prepared.problems;
    read_only_ = std::move(settings.read_only);
    std::move(settings.problems.begin(), settings.problems.end(), std::back_inserter(kernel_problems_));
    std::move(settings.done.begin(), settings.done.end(), std::back_inserter(prepared.done));
    return prepared;
}

/// After all real servers have been read.
void NodeLoop::count_connections() {
    const std::uint64_t connections = kernel_.take_connections_seen();
    const std::uint32_t lists = kernel_.connection_table_size();
    metrics_.ipvs_connections.Set(static_cast<double>(connections));
    metrics_.ipvs_connection_table_size.Set(static_cast<double>(lists));
    table_problem_ = table_too_small(connections, lists);
}

void NodeLoop::put_back() {
    const auto prepared = prepare();
    for (const std::string& thing : prepared.followed)
        log::info("changed to follow the host", {{"what", thing}});
    for (const std::string& thing : prepared.done) {
        log::warning("somebody removed or changed it; put back", {{"what", thing}});
        metrics_.drift_repairs.Add({{"object", drift_label(thing)}}).Increment();
        ++drift_repairs_;
    }
    if (prepared.ipvs_renewed)
        log::warning("IPVS has been loaded anew, and has lost all virtual servers; they are programmed again");
    if (prepared.ipvs_renewed || !prepared.done.empty() || host_changed_)
        reconciler_.retry_all(Clock::now());
}

/// Once, after the first programming: notifications would have made that several times as long (monitor.hpp).
void NodeLoop::hear_of_damage() {
    if (hears_of_damage_)
        return;
    monitor_->hear_of_objects();
    kernel_.guard_service_networks();
    put_back();
    account(without_followed(reconciler_.begin_audit(), std::exchange(host_changed_, false)));
    hears_of_damage_ = true;
}

asio::awaitable<void> NodeLoop::audit() {
    const Time start = Clock::now();
    if (follow_networks(true))
        follow_addresses();
    audit_wanted_ = false;
    look_at_host();
    put_back();
    const bool host_changed = std::exchange(host_changed_, false);
    tell_read_only();
    tracking_drops_.rising(read_tracking_drops(), start);  // what is compared with when a probe has no answer
    engine_.look_for_missing_schedulers(
        [](const std::string& scheduler) { return netlink::module_is_loaded("ip_vs_" + scheduler); });
    Drift drift = reconciler_.begin_audit();
    kernel_.take_connections_seen();  // those of an audit that an error has ended
    while (reconciler_.audit_slice(audit_slice, drift)) {
        co_await asio::post(context_, asio::use_awaitable);
        if (std::exchange(woken_, false))  // a wish does not wait until the audit is over
            co_await sync();
    }
    account(without_followed(drift, host_changed));
    count_connections();
    log_new_problems();
    metrics_.audits.Increment();
    metrics_.sync_seconds.Add({{"kind", "audit"}}, time_buckets()).Observe(seconds_since(start));
    last_audit_ = Clock::now();
    next_audit_ = last_audit_ + config_.audit_period;
}

/// Of virtual servers in which nothing drains no connections are ever counted.
void NodeLoop::look_at_draining() {
    const Time now = Clock::now();
    if (engine_.draining().empty() || now < next_look_)
        return;
    next_look_ = now + look_period;
    const auto servers = engine_.draining().next(look_slice);
    auto counts = kernel_.read_connections(servers);
    Draining::Counted counted;
    for (std::size_t i = 0; i < servers.size(); ++i)
        counted.emplace(servers[i], std::move(counts[i]));
    engine_.planner().review_draining(now, counted);
}

void NodeLoop::account(const StepResult& result) {
    for (std::size_t i = 0; i < result.applied_by_operation.size(); ++i)
        if (result.applied_by_operation[i] > 0)
            metrics_.netlink_operations.Add({{"op", std::string(netlink::operation(i))}, {"result", "ok"}})
                .Increment(static_cast<double>(result.applied_by_operation[i]));
    audit_wanted_ = audit_wanted_ || result.audit_wanted;
    for (const Refused& refused : result.refused) {  // what is refused is a problem: log_new_problems()
        metrics_.netlink_operations
            .Add({{"op", std::string(netlink::operation(refused.change))}, {"result", "refused"}})
            .Increment();
        if (log::enabled(log::Level::debug))
            log::debug("refused",
                       {{"change", netlink::to_string(refused.change)}, {"reason", refused.error.message()}});
        if (const auto scheduler = missing_scheduler(refused))
            engine_.scheduler_is_missing(*scheduler);
    }
}

void NodeLoop::account(const Drift& drift) {
    const std::pair<const char*, std::size_t> counts[] = {{"virtual_server", drift.virtual_servers},
                                                          {"real_server", drift.real_servers},
                                                          {"route", drift.routes},
                                                          {"element", drift.elements}};
    for (const auto& [object, count] : counts)
        if (count > 0)
            metrics_.drift_repairs.Add({{"object", object}}).Increment(static_cast<double>(count));
    if (drift.total() == 0)
        return;
    drift_repairs_ += drift.total();
    log::warning("somebody changed what is ours in the kernel; repairing",
                 {{"virtual_servers", std::to_string(drift.virtual_servers)},
                  {"real_servers", std::to_string(drift.real_servers)},
                  {"routes", std::to_string(drift.routes)},
                  {"elements", std::to_string(drift.elements)}});
}

}  // namespace proxy
