#include "proxy/sync/kernel_side.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <limits>
#include <utility>

#include "base/error_words.hpp"
#include "netlink/capabilities.hpp"
#include "netlink/kernel_modules.hpp"
#include "proxy/engine/turns.hpp"
#include "proxy/host/kernel_options.hpp"
#include "proxy/log/log.hpp"
#include "proxy/sync/spawn.hpp"

namespace proxy {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::size_t audit_slice = 256;   // virtual servers whose real servers are read in one go
constexpr std::size_t count_slice = 1024;  // virtual servers whose connections are counted in one look

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

KernelSide::KernelSide(asio::io_context& context, const Config& config, Engine& engine, Metrics& metrics,
                       KernelRole& role)
    : context_(context),
      config_(config),
      engine_(engine),
      metrics_(metrics),
      role_(role),
      kernel_(kernel_options(config)),
      reconciler_(kernel_, engine.desired().wishes()),
      upkeep_(config, kernel_, metrics),
      schedule_(config.audit_period),
      start_({config, engine, kernel_, reconciler_, upkeep_, schedule_}),
      flow_cleaner_(context, engine.desired(), metrics),
      timer_(context) {}

// ---- the start ---------------------------------------------------------------------------------------------------

void KernelSide::open() {
    start_.open(role_);
    const netlink::OwnChanges own{config_.route_protocol, kernel_.route_port(), kernel_.nft_port()};
    notices_.emplace(context_, own, [this](const netlink::Notices& notices) {
        if (notices.addresses)
            schedule_.note_addresses();
        if (notices.damage)
            schedule_.want_audit();
        wake();
    });
    notices_->start();
}

void KernelSide::program() {
    try {
        while (!schedule_.is_failing() && (step(std::numeric_limits<std::size_t>::max()) > 0 || !reconciler_.idle())) {
        }
    } catch (const std::exception& error) {
        fail(base::words_of(error));
    }
}

void KernelSide::begin(bool may_have_lost_data, StartClock& clock) {
    start_.plan_the_needed();
    program();
    start_.plan_the_rest(may_have_lost_data);
    clock.end_phase(metrics_, "planning");
    program();
    clock.end_phase(metrics_, "kernel");
    schedule_.begin(Clock::now());
    role_.planned();
    role_.problems_changed();
    flow_cleaner_.note_all(reconciler_.mirror());
    finish();
    asio::post(context_, [this] { spawn(context_, run()); });
}

// ---- the loop ----------------------------------------------------------------------------------------------------

void KernelSide::wake() {
    schedule_.wake(Clock::now());
    timer_.cancel();
}

Dues KernelSide::dues() const {
    Dues dues;
    dues.refused = reconciler_.next_retry();
    dues.slow_start = engine_.planner().next_slow_start();
    dues.opinions = engine_.next_opinion();
    dues.drains = !engine_.draining().empty();
    dues.source_is_current = role_.source_is_current();
    return dues;
}

asio::awaitable<void> KernelSide::run() {
    for (;;) {
        const Next next = schedule_.next(Clock::now(), dues());
        if (next.act == Act::wait) {
            timer_.expires_at(next.until.value_or(Clock::now() + 1h));
            boost::system::error_code cancelled;
            co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
            continue;
        }
        std::optional<std::string> failure;
        try {
            co_await do_next(next.act);
        } catch (const std::exception& error) {
            failure = base::words_of(error);
        }
        if (failure)
            fail(std::move(*failure));
    }
}

asio::awaitable<void> KernelSide::do_next(Act act) {
    switch (act) {
        case Act::wait:
            break;
        case Act::listen:
            co_await listen();
            break;
        case Act::sweep:
            reconciler_.sweep();
            break;
        case Act::follow_host:
            role_.follow_host();
            break;
        case Act::audit:
            co_await audit();
            break;
        case Act::count_draining:
            count_draining();
            break;
        case Act::sync:
            engine_.planner().review_slow_start(Clock::now());
            engine_.review_opinions(Clock::now());
            co_await sync();
            break;
    }
}

void KernelSide::fail(std::string reason) {
    schedule_.failed(std::move(reason), Clock::now());
    role_.problems_changed();
}

/// Once, after the first programming: notifications would have made that several times as long (monitor.hpp).
asio::awaitable<void> KernelSide::listen() {
    notices_->hear_of_objects();
    kernel_.guard_service_networks();
    if (upkeep_.put_back())
        reconciler_.retry_all(Clock::now());
    const bool host_changed = upkeep_.exchange_host_change();
    Drift drift = reconciler_.begin_audit();
    while (reconciler_.audit_part(drift))
        co_await asio::post(context_, asio::use_awaitable);
    upkeep_.account(without_followed(drift, host_changed));
    schedule_.listens();
}

// ---- giving ------------------------------------------------------------------------------------------------------

/// All that is dirty is planned before any of it is given to the kernel: what one Service loses and another one gets is
/// never nobody's in between.
asio::awaitable<void> KernelSide::plan() {
    if (!engine_.planner().is_dirty())
        co_return;
    for (bool more = true; more;) {
        more = engine_.plan_slice(reconciler_.mirror(), turns::plan_slice);
        co_await asio::post(context_, asio::use_awaitable);
    }
    role_.planned();
    co_await asio::post(context_, asio::use_awaitable);
}

/// Goes on until the kernel holds all that is wanted, or refuses what is left, in turns, between which the loop does
/// what else is to be done.
asio::awaitable<void> KernelSide::sync() {
    const Time start = Clock::now();
    std::size_t changes = 0;
    for (;;) {
        co_await plan();
        const std::size_t handled = step(turns::batch_size);
        if (handled == 0 && reconciler_.idle())
            break;
        changes += handled;
        co_await asio::post(context_, asio::use_awaitable);
    }
    if (changes > 0)
        metrics_.sync_seconds.Add({{"kind", "incremental"}}, time_buckets()).Observe(seconds_since(start));
    co_await role_.settle(reconciler_.next_retry().has_value());
    finish();
}

std::size_t KernelSide::step(std::size_t limit) {
    const bool say = log::enabled(log::Level::debug);
    const StepResult result = reconciler_.step(Clock::now(), limit, [&](const netlink::Change& change) {
        if (say)
            log::debug("applied", {{"change", netlink::to_string(change)}});
        flow_cleaner_.note(change, reconciler_.mirror());
    });
    account(result);
    return result.handled;
}

void KernelSide::account(const StepResult& result) {
    for (std::size_t i = 0; i < result.applied_by_operation.size(); ++i)
        if (result.applied_by_operation[i] > 0)
            metrics_.netlink_operations.Add({{"op", std::string(netlink::operation(i))}, {"result", "ok"}})
                .Increment(static_cast<double>(result.applied_by_operation[i]));
    if (result.audit_wanted)
        schedule_.want_audit();
    for (const Refused& refused : result.refused) {  // what is refused is a problem too
        metrics_.netlink_operations
            .Add({{"op", std::string(netlink::operation(refused.change))}, {"result", "refused"}})
            .Increment();
        if (log::enabled(log::Level::debug))
            log::debug("refused",
                       {{"change", netlink::to_string(refused.change)}, {"reason", refused.error.message()}});
        if (const auto scheduler = missing_scheduler(refused))
            engine_.planner().scheduler_is_missing(*scheduler, engine_.store().services());
    }
}

void KernelSide::finish() {
    flow_cleaner_.kick();
    const bool all = reconciler_.idle() && !schedule_.is_failing();
    schedule_.synced(all, Clock::now());
    if (all && !reconciler_.next_retry())  // else the kernel lacks what it refuses
        last_sync_ = std::chrono::system_clock::now();
    role_.given(all);
}

// ---- looking -----------------------------------------------------------------------------------------------------

asio::awaitable<void> KernelSide::audit() {
    const Time start = Clock::now();
    const std::uint64_t repaired_before = upkeep_.drift_repairs();
    role_.look_around();
    if (upkeep_.put_back())
        reconciler_.retry_all(start);
    const bool host_changed = upkeep_.exchange_host_change();
    role_.upkept();
    engine_.planner().look_for_missing_schedulers(
        [](const std::string& scheduler) { return netlink::module_is_loaded("ip_vs_" + scheduler); },
        engine_.store().services());
    Drift drift = reconciler_.begin_audit();
    kernel_.exchange_connections_seen();  // those of an audit that an error has ended
    while (reconciler_.audit_slice(audit_slice, drift)) {
        co_await asio::post(context_, asio::use_awaitable);
        if (schedule_.consume_wish())  // it does not wait until the audit is over
            co_await sync();
    }
    upkeep_.account(without_followed(drift, host_changed));
    upkeep_.count_connections();
    schedule_.audited(Clock::now(), upkeep_.drift_repairs() != repaired_before);
    role_.problems_changed();
    metrics_.audits.Increment();
    metrics_.sync_seconds.Add({{"kind", "audit"}}, time_buckets()).Observe(seconds_since(start));
}

/// Connections are counted only of virtual servers in which something drains.
void KernelSide::count_draining() {
    const auto servers = engine_.draining().next(count_slice);
    auto counts = kernel_.read_connections(servers);
    Draining::Counted counted;
    for (std::size_t i = 0; i < servers.size(); ++i)
        counted.emplace(servers[i], std::move(counts[i]));
    engine_.planner().review_draining(Clock::now(), counted);
}

}  // namespace proxy
