#include "health/places.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace health {

namespace asio = boost::asio;

asio::awaitable<Places::Held> Places::take() {
    if (taken_ < most_) {
        ++taken_;
        co_return Held(this);
    }
    const auto turn = std::make_shared<asio::steady_timer>(executor_, asio::steady_timer::time_point::max());
    waiting_.push_back(turn);
    boost::system::error_code cancelled;
    co_await turn->async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    co_return Held(this);  // of the one who has released it
}

void Places::release() {
    if (waiting_.empty()) {
        --taken_;
        return;
    }
    waiting_.front()->cancel();
    waiting_.pop_front();
}

}  // namespace health
