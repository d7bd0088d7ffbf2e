// Which of several API servers to ask, and when: a server that failed is left alone for a while, ever longer, and the
// others are tried meanwhile. Shared by all that watches one cluster, so that a dead server is found out once. Pure:
// `now` and `jitter` are passed in.
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include "api/cluster/backoff.hpp"

namespace api {

using Time = std::chrono::steady_clock::time_point;

class ServerPool {
public:
    explicit ServerPool(std::size_t servers, Pauses pauses = {}) : servers_(servers), pauses_(pauses) {}

    struct Choice {
        std::size_t server = 0;
        Time not_before;  ///< in the past: now
    };
    /// The server in use while it works; else the one that may be asked soonest.
    Choice choose() const;

    /// `jitter`: 0 to 1. `at_least`: what the server asked for (Retry-After). A failure that began before the last one
    /// was noted is the same failure, seen by another watch.
    void failed(std::size_t server, Time began, Time now, double jitter, std::chrono::seconds at_least = {});
    void succeeded(std::size_t server, Time now);
    /// When the server last did what some watch asked of it; long ago: never.
    Time worked(std::size_t server) const { return servers_[server].worked; }

private:
    struct Server {
        std::size_t failures = 0;  // in a row
        Time not_before;
        Time asked_for;  // by the server itself (Retry-After): a success of another request does not undo it
        Time noted;
        Time worked;
    };
    std::vector<Server> servers_;
    Pauses pauses_;
    std::size_t current_ = 0;
};

}  // namespace api
