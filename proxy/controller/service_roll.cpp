#include "proxy/controller/service_roll.hpp"

#include <algorithm>

namespace proxy {

bool is_older(std::string_view version, std::string_view than) {
    const auto is_number = [](std::string_view text) {
        return !text.empty() && text.front() != '0' && text.find_first_not_of("0123456789") == std::string_view::npos;
    };
    if (!is_number(version) || !is_number(than))
        return false;
    return version.size() != than.size() ? version.size() < than.size() : version < than;
}

/// A list out of a server's cache may be older than the answer to our last write; the watch that follows it is not.
std::vector<api::ObjectName> ServiceRoll::list(std::vector<BalancedServicePtr> services, Time now) {
    std::vector<api::ObjectName> changed;
    const std::size_t before = known_.size();
    ++lists_;
    for (BalancedServicePtr& service : services) {
        Known& known = known_[service->name];
        known.list = lists_;
        known.held = false;
        if (known.by_answer && is_older(service->version, known.service->version))
            continue;
        known.by_answer = false;
        if (known.service && known.service->version == service->version)
            continue;
        changed.push_back(service->name);
        known.service = std::move(service);
    }
    const auto gone = static_cast<std::size_t>(
        std::count_if(known_.begin(), known_.end(), [&](const auto& entry) { return entry.second.list != lists_; }));
    const bool doubtful = before > few && gone > before / 2;
    for (auto at = known_.begin(); at != known_.end();) {
        const bool lacks = at->second.list != lists_;
        at->second.held = at->second.held || (lacks && doubtful);
        if (lacks && !doubtful)
            changed.push_back(at->first);
        at = lacks && !doubtful ? known_.erase(at) : std::next(at);
    }
    if (!doubtful)
        due_.reset();
    else if (!due_)
        due_ = now + hold;
    return changed;
}

bool ServiceRoll::put(BalancedServicePtr service) {
    Known& known = known_[service->name];
    known.held = false;
    if (known.by_answer && is_older(service->version, known.service->version))
        return false;
    known.by_answer = false;
    if (known.service && known.service->version == service->version)
        return false;
    known.service = std::move(service);
    return true;
}

bool ServiceRoll::note_answer(BalancedServicePtr service) {
    const auto known = known_.find(service->name);
    if (known == known_.end() || known->second.service->uid != service->uid ||
        !is_older(known->second.service->version, service->version))
        return false;
    known->second.service = std::move(service);
    known->second.by_answer = true;
    return true;
}

BalancedServicePtr ServiceRoll::find(const api::ObjectName& name) const {
    const auto known = known_.find(name);
    return known == known_.end() ? nullptr : known->second.service;
}

std::vector<api::ObjectName> ServiceRoll::release(Time now) {
    std::vector<api::ObjectName> gone;
    if (!due_ || now < *due_)
        return gone;
    due_.reset();
    for (auto at = known_.begin(); at != known_.end();) {
        if (at->second.held)
            gone.push_back(at->first);
        at = at->second.held ? known_.erase(at) : std::next(at);
    }
    return gone;
}

std::size_t ServiceRoll::held() const {
    return static_cast<std::size_t>(
        std::count_if(known_.begin(), known_.end(), [](const auto& entry) { return entry.second.held; }));
}

void ServiceRoll::clear() {
    known_.clear();
    due_.reset();
}

}  // namespace proxy
