#include "api/cluster/event_poster.hpp"

#include <boost/asio/use_awaitable.hpp>

#include "api/cluster/wire.hpp"

namespace api {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t longest_queue = 128;  // what the API was away for is not worth more

}  // namespace

asio::awaitable<void> EventPoster::post(EventNote note) {
    if (!budget_.spend(note, std::chrono::steady_clock::now())) {
        lose(EventLoss::too_many, "");
        co_return;
    }
    queue_.push_back(std::move(note));
    if (queue_.size() > longest_queue) {
        queue_.pop_front();
        lose(EventLoss::too_many, "");
    }
    if (writing_)
        co_return;
    writing_ = true;
    while (!queue_.empty()) {
        const EventNote next = std::move(queue_.front());
        queue_.pop_front();
        co_await write(next);
    }
    client_.hang_up();
    writing_ = false;
}

asio::awaitable<void> EventPoster::write(const EventNote& note) {
    const auto answer = co_await client_.request("POST", events_path + event_space(note) + "/events",
                                                 event_json(note, node_, std::chrono::system_clock::now()));
    if (!answer)
        lose(EventLoss::unreachable, answer.error());
    else if (answer->status / 100 != 2)
        lose(loss_of(answer->status), refusal_of(*answer));
}

void EventPoster::lose(EventLoss loss, const std::string& detail) {
    if (client_.hooks().event_lost)
        client_.hooks().event_lost(loss, detail);
}

}  // namespace api
