#include "health/guard/ejections.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace health {

void Ejections::put(const Target& target, Finding finding, std::string why, const std::string& place) {
    const auto [found, fresh] = entries_.try_emplace(target);
    Entry& entry = found->second;
    if (!fresh && entry.finding == finding && entry.why == why && entry.place == place)
        return;
    dirty_ = true;
    entry.has_passed = entry.has_passed || finding == Finding::passes;
    entry.place = place;
    if (!is_bad(finding) || !is_bad(entry.finding))
        entry.bad_since.reset();
    entry.finding = finding;
    entry.why = std::move(why);
    if (finding != Finding::unknown)
        awaited_.erase(target);
    else if (!began_)
        awaited_.insert(target);
}

void Ejections::remove(const Target& target) {
    const auto found = entries_.find(target);
    if (found == entries_.end())
        return;
    dirty_ = true;
    if (found->second.ejection) {
        changed_.insert(target);
        --out_;
    }
    awaited_.erase(target);
    entries_.erase(found);
}

void Ejections::renew(const Target& target) {
    const auto found = entries_.find(target);
    if (found == entries_.end())
        return;
    Entry& entry = found->second;
    dirty_ = true;
    if (entry.ejection) {
        changed_.insert(target);
        --out_;
    }
    const unsigned level = entry.level;  // a container that is restarted again and again flaps as well
    entry = {};
    entry.level = level;
}

void Ejections::note_control(std::string silent) {
    dirty_ = true;
    incident_.note_control(std::move(silent));
}

bool Ejections::in_grace(Time now) const {
    return !awaited_.empty() && now < *began_ + rules_.grace;
}

void Ejections::stamp(Time now) {
    for (auto& [target, entry] : entries_)
        if (may_be_out(entry) && !entry.bad_since)
            entry.bad_since = now;
}

std::chrono::milliseconds Ejections::hold_of(const Entry& entry) const {
    if (rules_.first_hold && entry.level <= 1)
        return *rules_.first_hold;
    auto hold = rules_.hold;
    for (unsigned i = rules_.first_hold ? 2 : 1; i < entry.level && hold < rules_.longest_hold; ++i)
        hold *= 2;
    return std::min(hold, rules_.longest_hold);
}

std::size_t Ejections::allowance() const {
    return std::max(rules_.burst, (entries_.size() * rules_.percent + 99) / 100);
}

void Ejections::release(Entry& entry, Time now) {
    entry.ejection.reset();
    entry.released = now;
    --out_;
}

void Ejections::eject(Entry& entry, Time now) {
    const auto good_for = std::chrono::duration_cast<std::chrono::milliseconds>(now - entry.released);
    const auto forgiven = static_cast<unsigned>(std::min<std::int64_t>(good_for / rules_.forgiven, 64));
    entry.level = (entry.level > forgiven ? entry.level - forgiven : 0) + 1;
    entry.ejection = Ejection{entry.finding, entry.why, now};
    lately_.push_back(now);
    ++out_;
}

void Ejections::consider(Time due) {
    due_ = std::min(due, due_.value_or(due));
}

/// What went out just before an incident was known comes back: that was the beginning of it.
void Ejections::follow_incident(Time now) {
    std::vector<Bad> bad;
    for (const auto& [target, entry] : entries_)
        if (entry.bad_since)
            bad.push_back({*entry.bad_since, entry.place});
    incident_.review(bad, entries_.size(), now);
    if (const auto next = incident_.next())
        consider(*next);
    const auto since = incident_.disbelieved_since();
    if (!since)
        return;
    for (auto& [target, entry] : entries_)
        if (entry.ejection && entry.ejection->since >= *since) {
            release(entry, now);
            changed_.insert(target);
        }
}

/// Who has been bad for longest goes first.
void Ejections::take_out(Time now) {
    while (!lately_.empty() && now - lately_.front() >= rules_.rate_window)
        lately_.pop_front();
    std::vector<std::pair<Time, const Target*>> waiting;
    for (const auto& [target, entry] : entries_)
        if (may_be_out(entry) && !entry.ejection)
            waiting.emplace_back(*entry.bad_since, &target);
    if (waiting.empty() || incident_.disbelieved_since())
        return;
    if (in_grace(now)) {
        consider(*began_ + rules_.grace);
        return;
    }
    std::sort(waiting.begin(), waiting.end(), [](const auto& a, const auto& b) {
        return std::pair(a.first, *a.second) < std::pair(b.first, *b.second);
    });
    for (const auto& [since, target] : waiting) {
        if (lately_.size() >= allowance()) {
            consider(lately_.front() + rules_.rate_window);
            return;
        }
        eject(entries_.at(*target), now);
        changed_.insert(*target);
    }
}

std::set<Ejections::Target> Ejections::review(Time now) {
    if (!dirty_ && !(due_ && now >= *due_))
        return {};
    if (!began_)
        began_ = now;
    dirty_ = false;
    due_.reset();
    stamp(now);
    for (auto& [target, entry] : entries_) {
        if (!entry.ejection)
            continue;
        if (may_be_out(entry)) {
            if (entry.ejection->passes || entry.ejection->finding != entry.finding || entry.ejection->why != entry.why)
                changed_.insert(target);
            entry.ejection = Ejection{entry.finding, entry.why, entry.ejection->since};
            continue;
        }
        const Time until = entry.ejection->since + hold_of(entry);
        if (now >= until || entry.finding == Finding::unknown) {
            release(entry, now);
            changed_.insert(target);
        } else {
            entry.ejection->passes = true;
            consider(until);
        }
    }
    follow_incident(now);
    take_out(now);
    graced_ = in_grace(now);
    return std::exchange(changed_, {});
}

std::optional<Time> Ejections::next() const {
    return dirty_ ? std::optional(Time{}) : due_;
}

const Ejection* Ejections::of(const Target& target) const {
    const auto found = entries_.find(target);
    return found == entries_.end() || !found->second.ejection ? nullptr : &*found->second.ejection;
}

std::string Ejections::spared(const Target& target) const {
    const auto found = entries_.find(target);
    if (found == entries_.end() || !is_bad(found->second.finding) || found->second.ejection)
        return "";
    if (!found->second.has_passed)
        return "it has never passed";
    if (!incident_.why().empty())
        return incident_.why() + ": this node may be cut off";
    if (graced_)
        return "the first round of checks is not done";
    return "others have gone out just now, and it waits for its turn";
}

}  // namespace health
