#include "proxy/node_loop.hpp"

#include <fmt/format.h>
#include <malloc.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <limits>

#include "proxy/host.hpp"
#include "proxy/log.hpp"

namespace proxy {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::size_t batch_size = 4096;  // changes given to the kernel in one go
constexpr std::size_t audit_slice = 256;  // virtual servers whose real servers are read in one go
constexpr auto audit_pause = 200ms;       // at least, between an audit and one that a notification asks for
constexpr auto kernel_retry = 1s;         // after the kernel could not be spoken to

double seconds_since(Time start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

netlink::LinuxKernelOptions kernel_options(const Config& config) {
    netlink::LinuxKernelOptions options;
    options.route_protocol = config.route_protocol;
    options.sources = config.node_ip;
    for (const Prefix& network : config.network_cidr)
        options.rules.pod_networks.push_back(to_string(network));
    options.rules.masquerade_all = config.masquerade_all;
    return options;
}

std::string_view word(health::Verdict verdict) {
    switch (verdict) {
        case health::Verdict::ready:
            return "ready";
        case health::Verdict::failed:
            return "failed";
        case health::Verdict::unknown:
            break;
    }
    return "unknown";
}

std::string_view word(health::ProbeType type) {
    switch (type) {
        case health::ProbeType::readiness:
            return "readiness";
        case health::ProbeType::liveness:
            return "liveness";
        case health::ProbeType::startup:
            break;
    }
    return "startup";
}

std::string_view word(health::Answer answer) {
    static constexpr std::string_view words[] = {"success", "warning", "failure", "unknown", "error"};
    return words[static_cast<std::size_t>(answer)];
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

/// What cannot wait at a cold start: without them nothing else starts.
bool goes_first(const api::ObjectName& name) {
    return (name.space == "default" && name.name == "kubernetes") ||
           (name.space == "kube-system" && name.name.find("dns") != std::string::npos);
}

bool names_pods(const api::Transaction& transaction) {
    const auto is_pod = [](const api::Upsert& upsert) { return std::holds_alternative<api::Pod>(upsert.object); };
    return std::any_of(transaction.upserts.begin(), transaction.upserts.end(), is_pod) ||
           std::any_of(transaction.removals.begin(), transaction.removals.end(),
                       [](const api::Removal& removal) { return removal.kind == api::Kind::pod; });
}

}  // namespace

NodeLoop::NodeLoop(asio::io_context& context, Config config, std::string manifests, Time began)
    : context_(context),
      config_(std::move(config)),
      manifests_(std::move(manifests)),
      began_(began),
      kernel_(kernel_options(config_)),
      folder_(context, {manifests_, config_.folder_debounce}),
      state_file_(config_.state_dir),
      prober_(
          context.get_executor(),
          {static_cast<std::size_t>(config_.probes_in_flight), config_.kubelet_compatible_counters},
          [this](const health::Report& report) { take_report(report); },
          [this](const health::Attempt& attempt) { take_attempt(attempt); }),
      engine_(config_, facts_of(config_, netlink::host_addresses()), state_file_.load(),
              {[this](const health::Subject& subject) { return prober_.verdict(subject); },
               [this](const netlink::VirtualServer& server, const netlink::RealServer& real) {
                   return reconciler_.weight(server, real);
               }}),
      reconciler_(kernel_, engine_.desired()),
      timer_(context) {}

void NodeLoop::start() {
    keep_freed_memory(true);
    for (const std::string& thing : kernel_.prepare())
        log::info("put in place", {{"what", thing}});
    reconciler_.adopt();
    Time mark = Clock::now();
    const auto phase_done = [&](const char* phase) {
        metrics_.start_seconds.Add({{"phase", phase}}).Set(seconds_since(mark));
        mark = Clock::now();
    };
    api::Transaction everything = folder_.load();
    phase_done("reading");
    engine_.apply(std::move(everything));
    engine_.plan_dirty(goes_first);
    program_everything_now();
    engine_.plan_dirty();
    reconciler_.disown_foreign();
    phase_done("planning");
    program_everything_now();
    phase_done("kernel");
    keep_freed_memory(false);
    metrics_.start_seconds.Add({{"phase", "complete"}}).Set(seconds_since(began_));
    log_new_problems();
    finish_sync();
    ready_ = true;
    log::info("ready", {{"services", std::to_string(engine_.store().services().size())},
                        {"virtual_servers", std::to_string(reconciler_.mirror().virtual_servers.size())},
                        {"seconds", fmt::format("{:.3f}", seconds_since(began_))}});
}

void NodeLoop::program_everything_now() {
    while (step_once(std::numeric_limits<std::size_t>::max()) > 0) {
    }
}

void NodeLoop::spawn() {
    const auto run = [this](asio::awaitable<void> task) {
        asio::co_spawn(context_, std::move(task), [](const std::exception_ptr& error) {
            if (error)
                std::rethrow_exception(error);
        });
    };
    monitor_ = std::make_unique<netlink::Monitor>(
        netlink::Monitor::Own{config_.route_protocol, kernel_.route_port(), kernel_.nft_port()});
    auto targets = engine_.targets();
    probed_containers_ = targets.size();
    prober_.set_targets(std::move(targets));
    next_audit_ = Clock::now() + config_.audit_period;
    run(control());
    run(listen_to_kernel());
    run(folder_.watch([this](api::Transaction transaction) { take(std::move(transaction)); }));
}

// ---- what comes in -------------------------------------------------------------------------------------------

void NodeLoop::take(api::Transaction transaction) {
    metrics_.transactions.Increment();
    if (!changed_at_)
        changed_at_ = Clock::now();
    const bool pods = names_pods(transaction);
    engine_.apply(std::move(transaction));
    if (pods) {
        auto targets = engine_.targets();
        probed_containers_ = targets.size();
        prober_.set_targets(std::move(targets));
    }
    log_new_problems();
    wake();
}

void NodeLoop::take_report(const health::Report& report) {
    metrics_.probe_transitions.Add({{"to", std::string(word(report.verdict))}}).Increment();
    if (report.verdict != health::Verdict::unknown)
        log::info(report.verdict == health::Verdict::failed ? "pod failed its probe" : "pod passes its probe",
                  {{"pod", report.subject.pod}, {"container", report.subject.container}, {"reason", report.reason}});
    engine_.verdict_changed(report.subject.pod);
    wake();
}

void NodeLoop::take_attempt(const health::Attempt& attempt) {
    const std::string type(word(attempt.type));
    metrics_.probes.Add({{"type", type}, {"result", std::string(word(attempt.answer))}}).Increment();
    metrics_.probe_seconds.Add({{"type", type}}, time_buckets())
        .Observe(std::chrono::duration<double>(attempt.took).count());
}

void NodeLoop::take_addresses() {
    NodeFacts facts = facts_of(config_, netlink::host_addresses());
    if (facts == engine_.facts())
        return;
    log::info("addresses of this node have changed");
    engine_.set_facts(std::move(facts));
    wake();
}

asio::awaitable<void> NodeLoop::listen_to_kernel() {
    route_socket_.emplace(context_, ::dup(monitor_->route_socket()));
    nft_socket_.emplace(context_, ::dup(monitor_->nft_socket()));
    asio::co_spawn(context_, listen(*nft_socket_, &netlink::Monitor::read_nft), asio::detached);
    co_await listen(*route_socket_, &netlink::Monitor::read_routes);
}

asio::awaitable<void> NodeLoop::listen(asio::posix::stream_descriptor& socket,
                                       netlink::Notices (netlink::Monitor::*read)()) {
    for (;;) {
        boost::system::error_code error;
        co_await socket.async_wait(asio::posix::descriptor_base::wait_read,
                                   asio::redirect_error(asio::use_awaitable, error));
        if (error)
            co_return;
        const netlink::Notices notices = (monitor_.get()->*read)();
        if (notices.addresses)
            take_addresses();
        if (notices.damage) {
            audit_wanted_ = true;
            wake();
        }
    }
}

// ---- the control loop ----------------------------------------------------------------------------------------

void NodeLoop::wake() {
    woken_ = true;
    timer_.cancel();
}

asio::awaitable<void> NodeLoop::sleep_until_needed() {
    while (!woken_) {
        Time due = next_audit_;
        if (const auto retry = reconciler_.next_retry())
            due = std::min(due, *retry);
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
            co_await sync();
            if (audit_wanted_ && Clock::now() < last_audit_ + audit_pause)
                next_audit_ = std::min(next_audit_, last_audit_ + audit_pause);
            else if (audit_wanted_ || Clock::now() >= next_audit_) {
                co_await audit();
                co_await sync();
            }
        } catch (const std::exception& error) {
            failure = error.what();
        }
        if (failure) {
            log::error("the kernel cannot be programmed; trying again in 1 s", {{"reason", *failure}});
            audit_wanted_ = true;
            next_audit_ = Clock::now() + kernel_retry;
            last_audit_ = Clock::now() + kernel_retry - audit_pause;
        }
    }
}

/// Until the kernel holds all that is wanted, or refuses what is left.
asio::awaitable<void> NodeLoop::sync() {
    const Time start = Clock::now();
    std::size_t changes = 0;
    for (;;) {
        engine_.plan_dirty();
        const std::size_t applied = step_once(batch_size);
        if (applied == 0)
            break;
        changes += applied;
        co_await asio::post(context_, asio::use_awaitable);
    }
    if (changes > 0)
        metrics_.sync_seconds.Add({{"kind", "incremental"}}, time_buckets()).Observe(seconds_since(start));
    finish_sync();
}

std::size_t NodeLoop::step_once(std::size_t limit) {
    std::function<void(const netlink::Change&)> tell;
    if (log::enabled(log::Level::debug))
        tell = [](const netlink::Change& change) { log::debug("applied", {{"change", netlink::to_string(change)}}); };
    const StepResult result = reconciler_.step(Clock::now(), limit, tell);
    account(result);
    return result.applied + result.refused.size();
}

void NodeLoop::finish_sync() {
    state_file_.save(engine_.allocator().choices());
    if (!reconciler_.idle()) {
        if (!unsynced_since_)
            unsynced_since_ = Clock::now();
        return;
    }
    unsynced_since_.reset();
    last_sync_ = std::chrono::system_clock::now();
    if (changed_at_)
        metrics_.programming_seconds.Observe(seconds_since(*changed_at_));
    changed_at_.reset();
}

asio::awaitable<void> NodeLoop::audit() {
    const Time start = Clock::now();
    audit_wanted_ = false;
    for (const std::string& thing : kernel_.prepare()) {
        log::warning("somebody removed or changed it; put back", {{"what", thing}});
        metrics_.drift_repairs.Add({{"object", thing.substr(0, thing.find(' '))}}).Increment();
        ++drift_repairs_;
    }
    Drift drift = reconciler_.begin_audit();
    // Wishes that come in between are met when the audit is over.
    while (reconciler_.audit_slice(audit_slice, drift))
        co_await asio::post(context_, asio::use_awaitable);
    account(drift);
    metrics_.audits.Increment();
    metrics_.sync_seconds.Add({{"kind", "audit"}}, time_buckets()).Observe(seconds_since(start));
    last_audit_ = Clock::now();
    next_audit_ = last_audit_ + config_.audit_period;
}

void NodeLoop::account(const StepResult& result) {
    for (std::size_t i = 0; i < result.applied_by_operation.size(); ++i)
        if (result.applied_by_operation[i] > 0)
            metrics_.netlink_operations.Add({{"op", std::string(netlink::operation(i))}, {"result", "ok"}})
                .Increment(static_cast<double>(result.applied_by_operation[i]));
    for (const Refused& refused : result.refused) {
        metrics_.netlink_operations
            .Add({{"op", std::string(netlink::operation(refused.change))}, {"result", "refused"}})
            .Increment();
        log::warning("the kernel refuses a change; it is tried again, ever less often",
                     {{"change", netlink::to_string(refused.change)}, {"reason", refused.error.message()}});
        audit_wanted_ = true;  // our picture of the kernel was wrong
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

/// Each problem once, until it is gone.
void NodeLoop::log_new_problems() {
    std::set<std::string> now;
    for (const api::Problem& problem : engine_.problems()) {
        std::string text = api::to_string(problem);
        if (!logged_problems_.contains(text)) {
            if (problem.warning)
                log::warning(text);
            else
                log::error(text);
        }
        now.insert(std::move(text));
    }
    for (const std::string& text : logged_problems_)
        if (!now.contains(text))
            log::info("solved", {{"problem", text}});
    logged_problems_ = std::move(now);
}

}  // namespace proxy
