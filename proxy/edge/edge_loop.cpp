#include "proxy/edge/edge_loop.hpp"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <utility>

#include "health/checks/checks.hpp"
#include "proxy/log/log.hpp"
#include "proxy/serve/metric_labels.hpp"

namespace proxy {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::size_t most_lines = 20;    // about checks, in a second
constexpr std::size_t many_checks = 500;  // a review costs what they are,
constexpr auto pause = 20ms;              // so that its next one waits

}  // namespace

EdgeLoop::EdgeLoop(asio::io_context& context, const Config& config, Metrics& metrics)
    : context_(context),
      metrics_(metrics),
      edge_metrics_(metrics),
      timer_(context),
      prober_(
          context.get_executor(), limits_of(config), [this](const health::Report& report) { note_report(report); },
          [this](const health::Attempt& attempt) { note_attempt(attempt); }) {}

health::ProberLimits EdgeLoop::limits_of(const Config& config) {
    health::ProberLimits limits;
    limits.in_flight = static_cast<std::size_t>(config.probes_in_flight);
    limits.rise = 2;
    limits.perform = [this](health::Check check, std::chrono::milliseconds timeout) {
        return ask(std::move(check), timeout);
    };
    return limits;
}

/// What came of it tells more than the prober's verdict: whether its host answers at all.
asio::awaitable<health::Outcome> EdgeLoop::ask(health::Check check, std::chrono::milliseconds timeout) {
    const std::string asked = words_of(check);
    health::Outcome outcome = co_await health::perform(std::move(check), timeout);
    if (balancer_.note_outcome(asked, outcome, Clock::now()))
        wake();
    co_return outcome;
}

void EdgeLoop::changed() {
    for (auto& [key, targets] : balancer_.exchange_targets())
        prober_.set_targets_of(key, std::move(targets));
    wake();
}

void EdgeLoop::note_report(const health::Report& report) {
    balancer_.note(report, Clock::now());
    if (report.verdict != health::Verdict::unknown)
        say(report);
    wake();
}

/// A whole cluster may change at once; who wants to know of each asks `podferry backends`.
void EdgeLoop::say(const health::Report& report) {
    const bool failed = report.verdict == health::Verdict::failed;
    edge_metrics_.transitions.Add({{"to", std::string(word(balancer_.found(report.subject.pod).answer))}}).Increment();
    const Time now = Clock::now();
    if (now - said_.since >= 1s)
        said_ = {now, 0};
    if (++said_.count > most_lines)
        return;
    if (said_.count == most_lines)
        log::warning("many health checks change at once: not all are logged; podferry backends shows them");
    log::write(failed ? log::Level::warning : log::Level::info,
               failed ? "a backend fails its check" : "a backend passes its check",
               {{"check", report.subject.pod}, {"reason", report.reason}});
}

void EdgeLoop::note_attempt(const health::Attempt& attempt) {
    const std::string type(word(attempt.type));
    metrics_.probes.Add({{"type", type}, {"result", std::string(word(attempt.answer))}}).Increment();
    metrics_.probe_seconds.Add({{"type", type}}, time_buckets())
        .Observe(std::chrono::duration<double>(attempt.took).count());
}

void EdgeLoop::wake() {
    woken_ = true;
    timer_.cancel();
}

std::string EdgeLoop::waiting_for() const {
    return "the first answers of " + std::to_string(balancer_.undecided()) + " health checks";
}

asio::awaitable<void> EdgeLoop::run(api::OnTransaction deliver) {
    deliver_ = std::move(deliver);
    const Time until =
        Clock::now() + std::min<std::chrono::milliseconds>(balancer_.longest_window() + 1s, longest_wait);
    while (balancer_.undecided() > 0 && Clock::now() < until) {
        timer_.expires_at(until);
        boost::system::error_code woken;
        co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
    began_ = true;
    hand_over(true);
    for (;;) {
        if (!std::exchange(woken_, false)) {
            timer_.expires_at(balancer_.next().value_or(Time::max()));
            boost::system::error_code woken;
            co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
            woken_ = false;
        }
        if (balancer_.checks() > many_checks) {
            asio::steady_timer calm(context_, pause);
            co_await calm.async_wait(asio::use_awaitable);
        }
        hand_over(false);
    }
}

void EdgeLoop::hand_over(bool initial) {
    auto transaction = balancer_.review(Clock::now());
    set_gauges();
    if (!transaction && initial)
        transaction.emplace();
    if (!transaction)
        return;
    transaction->initial = initial;
    deliver_(std::move(*transaction));
}

void EdgeLoop::set_gauges() {
    for (const auto& [state, count] : balancer_.states())
        edge_metrics_.backends.Add({{"state", std::string(word(state))}}).Set(static_cast<double>(count));
    edge_metrics_.panicking.Set(static_cast<double>(balancer_.panicking()));
    edge_metrics_.incident.Set(balancer_.incident().empty() ? 0 : 1);
    edge_metrics_.checks.Set(static_cast<double>(balancer_.checks()));
}

}  // namespace proxy
