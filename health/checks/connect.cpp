#include "health/checks/connect.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/error.hpp>

#include "base/resolve.hpp"
#include "health/checks/blame.hpp"

namespace health {

namespace asio = boost::asio;
using asio::ip::tcp;

std::string words_of(const boost::system::error_code& error) {
    return error == boost::beast::error::timeout || error == asio::error::timed_out ? "timeout" : error.message();
}

asio::awaitable<Connected> connect_any(boost::beast::tcp_stream& stream, std::vector<tcp::endpoint> endpoints,
                                       std::chrono::steady_clock::time_point deadline) {
    Connected result;
    for (std::size_t i = 0; i < endpoints.size(); ++i) {
        const auto now = std::chrono::steady_clock::now();
        boost::system::error_code error;
        stream.socket().close(error);  // of another family, perhaps
        stream.expires_at(now + (deadline - now) / static_cast<std::ptrdiff_t>(endpoints.size() - i));
        co_await stream.async_connect(endpoints[i], asio::redirect_error(asio::use_awaitable, error));
        if (!error) {
            stream.expires_at(deadline);
            co_return Connected{};
        }
        if (result.problem.empty())
            result = {"connect: " + words_of(error), doubt_of(error)};
    }
    co_return result;
}

asio::awaitable<Connected> connect(boost::beast::tcp_stream& stream, std::string host, std::uint16_t port,
                                   std::chrono::steady_clock::time_point deadline) {
    auto endpoints = co_await base::resolve(co_await asio::this_coro::executor, host, port, deadline);
    if (!endpoints)
        co_return Connected{"lookup of " + host + ": " + words_of(endpoints.error())};
    co_return co_await connect_any(stream, std::move(*endpoints), deadline);
}

void abandon(boost::beast::tcp_stream& stream) {
    boost::system::error_code ignored;
    stream.socket().set_option(asio::socket_base::linger(true, 0), ignored);
    stream.socket().close(ignored);
}

}  // namespace health
