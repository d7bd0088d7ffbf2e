#include "health/worker.hpp"

#include <algorithm>

namespace health {
namespace {

Cached initial(ProbeType type) {
    switch (type) {
        case ProbeType::readiness:
            return Cached::failure;
        case ProbeType::liveness:
            return Cached::success;
        case ProbeType::startup:
            break;
    }
    return Cached::unknown;
}

}  // namespace

void Worker::renew(const std::string& incarnation) {
    incarnation_ = incarnation;
    cached_ = initial(type_);
    on_hold_ = false;
    decided_ = false;
    if (!rules_.counters_survive) {
        last_ = Cached::success;
        run_ = 0;
    }
}

void Worker::store(Cached value) {
    cached_ = value;
    decided_ = true;
}

Decision Worker::tick(const Observation& seen, const Timing& timing) {
    if (!seen.known)
        return Decision::skip;
    if (seen.terminal)
        return Decision::end;
    if (seen.incarnation.empty())
        return Decision::skip;
    if (seen.incarnation != incarnation_)
        renew(seen.incarnation);
    if (on_hold_)
        return Decision::skip;
    if (!seen.running) {
        store(Cached::failure);
        return seen.terminated && seen.restarts_never ? Decision::end : Decision::skip;
    }
    if (seen.deleting && type_ != ProbeType::readiness) {
        store(Cached::success);
        return Decision::end;
    }
    if (seen.age < timing.initial_delay)
        return Decision::skip;
    if (seen.started == (type_ == ProbeType::startup))
        return Decision::skip;
    return Decision::probe;
}

void Worker::answer(Answer answer, const Timing& timing) {
    if (answer == Answer::error)
        return;
    const bool good = answer == Answer::success || answer == Answer::warning;
    const Cached result = good ? Cached::success : Cached::failure;
    run_ = result == last_ ? run_ + 1 : 1;
    last_ = result;
    const bool returns = decided_ && cached_ == Cached::failure;
    const int rise = returns ? std::max(timing.success_threshold, rules_.rise) : timing.success_threshold;
    if (run_ < (good ? rise : timing.failure_threshold))
        return;
    store(result);
    if (!rules_.hold || type_ == ProbeType::readiness)
        return;
    if (!good || type_ == ProbeType::startup) {
        on_hold_ = true;
        run_ = 0;
    }
}

std::chrono::milliseconds first_delay(const Timing& timing, std::chrono::seconds running_for, double jitter) {
    if (running_for >= timing.period)
        return std::chrono::milliseconds(0);
    const std::chrono::milliseconds period = timing.period;
    return std::chrono::milliseconds(static_cast<std::int64_t>(jitter * static_cast<double>(period.count())));
}

void Schedule::trigger() {
    triggered_ = true;
    due_ = Time{};
}

bool Schedule::begin(Time now) {
    if (now < due_)
        return false;
    if (triggered_)
        first_ = now;
    triggered_ = false;
    last_ = now;
    return true;
}

void Schedule::end(Time now) {
    if (triggered_)
        return;
    const auto ticks = (last_ - first_) / period_;
    due_ = std::max(now, first_ + (ticks + 1) * period_);
}

}  // namespace health
