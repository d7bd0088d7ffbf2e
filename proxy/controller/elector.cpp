#include "proxy/controller/elector.hpp"

#include <algorithm>

namespace proxy {

Elector::Step Elector::step(Time now) const {
    if (lost_ || (leads_ && now >= deadline()))
        return Step::lost;
    if (now < next_)
        return Step::wait;
    if (!known_)
        return Step::read;
    if (!record_)
        return Step::create;
    return leads_ || is_free(now) ? Step::write : Step::read;
}

Elector::Time Elector::next_moment() const {
    return leads_ ? std::min(next_, deadline()) : next_;
}

/// A Lease of no duration is free, as of nobody.
bool Elector::is_free(Time now) const {
    return record_->holder.empty() || record_->holder == identity_ || now >= observed_ + record_->duration;
}

void Elector::wait_with_jitter(Time now, double jitter) {
    const auto period = timing_.retry_period;
    next_ =
        now + period + std::chrono::duration_cast<std::chrono::milliseconds>(period * jitter * timing_.jitter_factor);
}

void Elector::note_read(const std::optional<LeaseRecord>& record, Time now, double jitter) {
    if (!known_ || record != record_) {
        if (record != record_ || observed_ == Time{})
            observed_ = now;
        record_ = record;
    }
    known_ = true;
    if (leads_ && (!record_ || record_->holder != identity_)) {
        lost_ = true;  // somebody else has taken it, or taken it away
        return;
    }
    if (record_ && !leads_ && !is_free(now))
        wait_with_jitter(now, jitter);
}

void Elector::note_written(const LeaseRecord& record, Time sent) {
    record_ = record;
    known_ = true;
    observed_ = sent;
    renewed_ = sent;
    leads_ = true;
    next_ = sent + timing_.retry_period;
}

void Elector::note_conflict() {
    known_ = false;
}

void Elector::note_failure(Time now, double jitter) {
    known_ = false;
    if (leads_)
        next_ = now + timing_.retry_period;
    else
        wait_with_jitter(now, jitter);
}

void Elector::hurry() {
    if (leads_)
        next_ = {};
}

}  // namespace proxy
