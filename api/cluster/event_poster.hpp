// Writes Events to the API, one after the other.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <deque>
#include <string>

#include "api/cluster/api_client.hpp"
#include "api/cluster/event_post.hpp"

namespace api {

class EventPoster {
public:
    /// `node`: who reports.
    EventPoster(ApiClient& client, std::string node) : client_(client), node_(std::move(node)) {}

    /// Writes an Event when its turn comes, or drops it: when there have been too many, or the API is away. What is not
    /// written is told to ApiHooks::event_lost.
    boost::asio::awaitable<void> post(EventNote note);

private:
    boost::asio::awaitable<void> write(const EventNote& note);
    void lose(EventLoss loss, const std::string& detail);

    ApiClient& client_;
    std::string node_;
    EventBudget budget_;
    std::deque<EventNote> queue_;
    bool writing_ = false;
};

}  // namespace api
