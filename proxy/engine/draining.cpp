#include "proxy/engine/draining.hpp"

#include <algorithm>

namespace proxy {

void Draining::forget_vanished(const netlink::RealServer& real, const Entry& entry) {
    if (entry.how != Departure::vanished)
        return;
    const auto count = vanished_.find(real.address);
    if (--count->second == 0)
        vanished_.erase(count);
}

void Draining::note_vanished(const Entries& entries) {
    for (const auto& [real, entry] : entries)
        if (entry.how == Departure::vanished)
            ++vanished_[real.address];
}

void Draining::replace(const netlink::VirtualServer& server, const Left& left) {
    if (left.empty() && servers_.empty())
        return;
    const auto found = servers_.find(server);
    const Entries old = found == servers_.end() ? Entries{} : std::move(found->second);
    for (const auto& [real, entry] : old)
        forget_vanished(real, entry);
    if (left.empty()) {
        if (found != servers_.end())
            servers_.erase(found);
        return;
    }
    Entries& entries = servers_[server];
    entries.clear();
    for (const auto& [real, departure] : left) {
        Entry entry{departure, std::nullopt};
        if (const auto known = old.find(real); known != old.end()) {
            // What is gone is not seen to be terminating any more: the first word on it counts.
            if (departure != Departure::listed)
                entry.how = std::max(departure, known->second.how);
            if (entry.how == known->second.how)
                entry.since = known->second.since;
        }
        entries.emplace_hint(entries.end(), real, entry);
    }
    note_vanished(entries);
}

/// Hardly ever is it about one of them: then nothing is searched.
void Draining::end(const std::set<base::Address>& pods) {
    if (std::none_of(pods.begin(), pods.end(), [this](const auto& pod) { return vanished_.contains(pod); }))
        return;
    for (auto& [server, entries] : servers_)
        for (auto& [real, entry] : entries)
            if (entry.how == Departure::vanished && pods.contains(real.address)) {
                forget_vanished(real, entry);
                entry = {Departure::ended, std::nullopt};
            }
}

std::vector<netlink::VirtualServer> Draining::next(std::size_t count) {
    std::vector<netlink::VirtualServer> chosen;
    auto place = counted_ ? servers_.upper_bound(*counted_) : servers_.begin();
    for (count = std::min(count, servers_.size()); chosen.size() < count; ++place) {
        if (place == servers_.end())
            place = servers_.begin();
        chosen.push_back(place->first);
    }
    if (!chosen.empty())
        counted_ = chosen.back();
    return chosen;
}

bool Draining::is_over(const Entry& entry, Time now) const {
    switch (entry.how) {
        case Departure::listed:
            return false;
        case Departure::vanished:
            return now >= *entry.since + std::max(timeout_, least);
        case Departure::ended:
            return now >= *entry.since + least;
        case Departure::dead:
            break;
    }
    return true;
}

std::vector<std::pair<netlink::VirtualServer, netlink::RealServer>> Draining::review(Time now, const Counted& counted) {
    std::vector<std::pair<netlink::VirtualServer, netlink::RealServer>> done;
    for (auto& [server, entries] : servers_) {
        const auto counts = counted.find(server);
        for (auto& [real, entry] : entries) {
            if (!entry.since)
                entry.since = now;
            bool idle = false;
            if (counts != counted.end() && now >= *entry.since + least) {
                const auto count = counts->second.find(real);
                idle = count == counts->second.end() || count->second == 0;
            }
            if (idle || is_over(entry, now))
                done.emplace_back(server, real);
        }
    }
    for (const auto& [server, real] : done) {
        const auto found = servers_.find(server);
        forget_vanished(real, found->second.at(real));
        found->second.erase(real);
        if (found->second.empty())
            servers_.erase(found);
    }
    return done;
}

bool Draining::contains(const netlink::VirtualServer& server, const netlink::RealServer& real) const {
    const auto found = servers_.find(server);
    return found != servers_.end() && found->second.contains(real);
}

std::size_t Draining::size() const {
    std::size_t count = 0;
    for (const auto& [server, entries] : servers_)
        count += entries.size();
    return count;
}

}  // namespace proxy
