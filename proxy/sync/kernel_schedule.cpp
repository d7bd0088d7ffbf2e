#include "proxy/sync/kernel_schedule.hpp"

#include <algorithm>
#include <utility>

namespace proxy {

const char* word(Act act) {
    static constexpr const char* words[] = {"wait",  "listen",         "sweep", "follow_host",
                                            "audit", "count_draining", "sync"};
    return words[static_cast<std::size_t>(act)];
}

bool mostly_gone(std::size_t present, std::size_t wanted) {
    constexpr std::size_t few = 10;
    return present > few && wanted < present / 2;
}

void KernelSchedule::begin(Time now) {
    begun_ = true;
    woken_ = true;
    next_audit_ = now + audit_period_;
}

void KernelSchedule::wake(Time now) {
    if (begun_ && !waiting_since_)
        waiting_since_ = now;
    woken_ = true;
}

bool KernelSchedule::consume_wish() {
    return std::exchange(woken_, false);
}

Next KernelSchedule::next(Time now, const Dues& dues) {
    if (!begun_)
        return {Act::wait, std::nullopt};
    for (;;) {
        if (phase_ == Phase::rest) {
            if (const auto until = rest_until(now, dues))
                return {Act::wait, until};
            woken_ = false;
        }
        phase_ = phase_ == Phase::sync_again ? Phase::rest : static_cast<Phase>(static_cast<int>(phase_) + 1);
        if (const auto act = act_of(phase_, now, dues))
            return {*act, std::nullopt};
    }
}

/// nullopt: a round begins.
std::optional<Time> KernelSchedule::rest_until(Time now, const Dues& dues) const {
    if (rounds_.failed())
        return rounds_.may_begin(now) ? std::nullopt : std::optional(rounds_.again());
    if (woken_)
        return std::nullopt;
    Time due = next_audit_;
    const auto consider = [&](const std::optional<Time>& other) { due = std::min(due, other.value_or(due)); };
    consider(dues.refused);
    consider(sweep_at_);
    consider(dues.slow_start);
    consider(dues.opinions);
    if (dues.drains)
        consider(next_count_);
    return now >= due ? std::nullopt : std::optional(due);
}

/// What a phase of the round asks for; nullopt: nothing.
std::optional<Act> KernelSchedule::act_of(Phase phase, Time now, const Dues& dues) {
    switch (phase) {
        case Phase::rest:
            return std::nullopt;
        case Phase::listen:
            return listens_ ? std::nullopt : std::optional(Act::listen);
        case Phase::sweep:
            return sweep_or_hold(now, dues);
        case Phase::follow_host:
            return std::exchange(addresses_changed_, false) || audit_is_due(now) ? std::optional(Act::follow_host)
                                                                                 : std::nullopt;
        case Phase::recover:
            return rounds_.failed() ? std::optional(begin_audit()) : std::nullopt;
        case Phase::count:
            if (!dues.drains || now < next_count_)
                return std::nullopt;
            next_count_ = now + count_period;
            return Act::count_draining;
        case Phase::sync:
            return Act::sync;
        case Phase::audit:
            return audit_or_pause(now);
        case Phase::sync_again:  // what the audit has found
            return Act::sync;
    }
    return std::nullopt;
}

/// What vanished while we were down is removed once its time has come; but not on the word of a source that is away.
std::optional<Act> KernelSchedule::sweep_or_hold(Time now, const Dues& dues) {
    if (!sweep_at_ || now < *sweep_at_)
        return std::nullopt;
    if (!dues.source_is_current) {
        sweep_at_ = now + sweep_retry;
        return std::nullopt;
    }
    sweep_at_.reset();
    return Act::sweep;
}

std::optional<Act> KernelSchedule::audit_or_pause(Time now) {
    if (audit_wanted_ && now < last_audit_ + pause_before_audit())
        next_audit_ = std::min(next_audit_, last_audit_ + pause_before_audit());
    else if (audit_wanted_ || now >= next_audit_)
        return begin_audit();
    phase_ = Phase::rest;
    return std::nullopt;
}

/// What is damaged from now on asks for another one.
Act KernelSchedule::begin_audit() {
    audit_wanted_ = false;
    return Act::audit;
}

std::chrono::milliseconds KernelSchedule::pause_before_audit() const {
    const int doublings = std::clamp(repairs_in_row_ - calm_repairs, 0, 8);
    return std::min<std::chrono::milliseconds>(audit_pause * (1 << doublings), longest_pause);
}

void KernelSchedule::audited(Time now, bool found_damage) {
    rounds_.audited();
    if (now > last_audit_ + pause_before_audit() + row_ends)
        repairs_in_row_ = 0;
    if (found_damage)
        ++repairs_in_row_;
    last_audit_ = now;
    next_audit_ = now + audit_period_;
}

void KernelSchedule::synced(bool all, Time now) {
    if (all && !rounds_.failed())
        waiting_since_.reset();
    else
        waiting_since_ = waiting_since_.value_or(now);
}

void KernelSchedule::failed(std::string reason, Time now) {
    waiting_since_ = waiting_since_.value_or(now);
    rounds_.fail(std::move(reason), now);
    phase_ = Phase::rest;
}

}  // namespace proxy
