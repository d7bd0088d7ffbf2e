#include "api/server_pool.hpp"

#include <algorithm>

#include "api/backoff.hpp"

namespace api {

ServerPool::Choice ServerPool::choose() const {
    std::size_t best = current_;
    for (std::size_t i = 0; i < servers_.size(); ++i) {
        const std::size_t candidate = (current_ + i) % servers_.size();
        if (servers_[candidate].not_before < servers_[best].not_before)
            best = candidate;
    }
    if (servers_[current_].failures == 0)
        best = current_;
    return {best, servers_[best].not_before};
}

void ServerPool::failed(std::size_t server, Time began, Time now, double jitter, std::chrono::seconds at_least) {
    Server& it = servers_[server];
    const Time asked_for = now + at_least;
    if (it.failures > 0 && began < it.noted) {
        it.not_before = std::max(it.not_before, at_least.count() > 0 ? asked_for : it.not_before);
        return;
    }
    ++it.failures;
    it.noted = now;
    it.not_before = std::max<Time>(now + pause_after(it.failures, jitter), asked_for);
}

void ServerPool::succeeded(std::size_t server) {
    servers_[server].failures = 0;
    servers_[server].not_before = {};
    current_ = server;
}

}  // namespace api
