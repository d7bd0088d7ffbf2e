#include "api/cluster/server_pool.hpp"

#include <algorithm>

namespace api {

ServerPool::Choice ServerPool::choose() const {
    const auto when = [&](std::size_t i) { return std::max(servers_[i].not_before, servers_[i].asked_for); };
    std::size_t best = current_;
    for (std::size_t i = 0; i < servers_.size(); ++i) {
        const std::size_t candidate = (current_ + i) % servers_.size();
        if (when(candidate) < when(best))
            best = candidate;
    }
    if (servers_[current_].failures == 0)
        best = current_;
    return {best, when(best)};
}

void ServerPool::failed(std::size_t server, Time began, Time now, double jitter, std::chrono::seconds at_least) {
    Server& it = servers_[server];
    it.asked_for = std::max<Time>(it.asked_for, now + at_least);
    if (it.failures > 0 && began < it.noted)
        return;
    ++it.failures;
    it.noted = now;
    it.not_before = now + pause_after(it.failures, jitter, pauses_);
}

void ServerPool::succeeded(std::size_t server, Time now) {
    servers_[server].failures = 0;
    servers_[server].worked = now;
    servers_[server].not_before = {};
    current_ = server;
}

}  // namespace api
