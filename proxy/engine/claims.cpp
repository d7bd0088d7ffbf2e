#include "proxy/engine/claims.hpp"

#include <utility>

namespace proxy {

using netlink::VirtualServer;

Claims::Outcome Claims::claim(const VirtualServer& server, const api::ObjectName& service, const Claim& claim) {
    const auto [entry, added] = held_.try_emplace(server, Held{service, claim});
    Held& held = entry->second;
    if (held.owner != service || (!rivals_.empty() && rivals_.contains(server)))
        if (const Outcome outcome = contend(entry, service, claim); outcome != Outcome::has)
            return outcome;
    held.claim.kind = claim.kind;
    held.claim.age.created = claim.age.created;
    return Outcome::has;
}

/// The first of all that want it has it. One that waits and is the first gets it when it claims it again.
Claims::Outcome Claims::contend(std::map<VirtualServer, Held>::iterator held, const api::ObjectName& service,
                                const Claim& claim) {
    const VirtualServer& server = held->first;
    changed_.insert(server);
    Rivals& all = rivals_[server];
    all.join(held->second.owner, held->second.claim);
    all.put(service, claim);
    const api::ObjectName& first = all.first();
    if (first == service) {
        if (held->second.owner != service)
            unsettled_.insert(std::exchange(held->second.owner, service));
        held->second.claim = all.claim_of(service);
        if (all.size() == 1)
            rivals_.erase(server);
        return Outcome::has;
    }
    if (first == held->second.owner)
        return Outcome::waits;
    unsettled_.insert(first);
    held_.erase(held);
    return Outcome::vacated;
}

bool Claims::withdraw(const VirtualServer& server, const api::ObjectName& service) {
    const auto rivals = rivals_.find(server);
    if (rivals != rivals_.end()) {
        rivals->second.remove(service);
        changed_.insert(server);
    }
    const auto held = held_.find(server);
    const bool held_by_other = held != held_.end() && held->second.owner != service;
    const bool had_it = held != held_.end() && !held_by_other;
    if (had_it)
        held_.erase(held);
    if (rivals == rivals_.end())
        return had_it;
    if (!held_by_other && rivals->second.size() > 0)
        unsettled_.insert(rivals->second.first());
    else if (rivals->second.size() <= 1)
        rivals_.erase(rivals);
    return had_it;
}

const api::ObjectName* Claims::owner(const VirtualServer& server) const {
    const auto found = held_.find(server);
    return found == held_.end() ? nullptr : &found->second.owner;
}

bool Claims::has(const api::ObjectName& service, const VirtualServer& server) const {
    const api::ObjectName* name = owner(server);
    return name != nullptr && *name == service;
}

bool Claims::will_have(const VirtualServer& server, const api::ObjectName& service, const Claim& claim) const {
    const auto held = held_.find(server);
    const auto rivals = rivals_.find(server);
    if (held == held_.end() || (held->second.owner == service && rivals == rivals_.end()))
        return true;
    if (rivals != rivals_.end())
        return rivals->second.would_be_first(service, claim);
    Rivals both;
    both.join(held->second.owner, held->second.claim);
    return both.would_be_first(service, claim);
}

const api::ObjectName* Claims::waits_for(const VirtualServer& server, const api::ObjectName& service) const {
    const auto rivals = rivals_.find(server);
    const api::ObjectName* holder = owner(server);
    const bool waits = rivals != rivals_.end() && rivals->second.all().contains(service);
    return waits && holder != nullptr && *holder != service ? holder : nullptr;
}

std::vector<Conflict> Claims::conflicts() const {
    std::vector<Conflict> conflicts;
    for (const auto& [server, rivals] : rivals_)
        for (Conflict& conflict : conflicts_of(server))
            conflicts.push_back(std::move(conflict));
    return conflicts;
}

std::vector<Conflict> Claims::conflicts_of(const VirtualServer& server) const {
    std::vector<Conflict> conflicts;
    const auto rivals = rivals_.find(server);
    const auto held = held_.find(server);
    if (rivals == rivals_.end() || held == held_.end())
        return conflicts;
    for (const auto& [service, claim] : rivals->second.all())
        if (service != held->second.owner)
            conflicts.push_back({server, service, held->second.owner, claim.kind, held->second.claim.kind});
    return conflicts;
}

/// One of the rivals has it, once all is settled.
std::size_t Claims::conflict_count() const {
    std::size_t count = 0;
    for (const auto& [server, rivals] : rivals_)
        count += rivals.size() - 1;
    return count;
}

std::set<VirtualServer> Claims::exchange_changed() {
    return std::exchange(changed_, {});
}

std::set<api::ObjectName> Claims::exchange_unsettled() {
    return std::exchange(unsettled_, {});
}

}  // namespace proxy
