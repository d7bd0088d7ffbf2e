#include "api/cluster/event_poster.hpp"

#include <boost/asio/use_awaitable.hpp>

#include "api/cluster/wire.hpp"

namespace api {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t longest_queue = 128;     // what the API was away for is not worth more
constexpr std::size_t longest_answer = 65536;  // bytes; it has the Event in it
constexpr auto answer_silence = 10s;

}  // namespace

asio::awaitable<void> EventPoster::post(EventNote note) {
    if (!budget_.take(note, std::chrono::steady_clock::now())) {
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
    link_.reset();
    writing_ = false;
}

asio::awaitable<void> EventPoster::write(const EventNote& note) {
    if (!link_ || !link_->connection->reusable()) {
        link_.reset();
        auto link = co_await client_.connect();
        if (!link) {
            lose(EventLoss::unreachable, link.error().words);
            co_return;
        }
        link_ = std::move(*link);
    }
    HttpRequest request;
    request.method = "POST";
    request.target = events_path + event_space(note) + "/events";
    request.bearer_token = link_->bearer_token;
    request.accept = other_format;
    request.content_type = "application/json";
    request.body = event_json(note, node_, std::chrono::system_clock::now());
    const auto head = co_await link_->connection->send(request);
    client_.count("POST", head ? std::optional(head->status) : std::nullopt);
    if (!head) {
        lose(EventLoss::unreachable, head.error());
        link_.reset();
        co_return;
    }
    const std::string answer = co_await read_answer();
    if (head->status / 100 != 2)
        lose(loss_of(head->status), std::to_string(head->status) + ": " + read_status(answer).message);
}

/// To its end, if that is near: then the connection can be used again.
asio::awaitable<std::string> EventPoster::read_answer() {
    std::string text;
    while (text.size() < longest_answer) {
        const auto bytes = co_await link_->connection->read(answer_silence);
        if (!bytes || bytes->empty())
            break;
        text += *bytes;
    }
    co_return text;
}

void EventPoster::lose(EventLoss loss, const std::string& detail) {
    if (client_.hooks().event_lost)
        client_.hooks().event_lost(loss, detail);
}

}  // namespace api
