#include "health/checks/connect.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/error.hpp>
#include <memory>

#include "health/checks/blame.hpp"

namespace health {

namespace asio = boost::asio;
using asio::ip::tcp;

std::string words_of(const boost::system::error_code& error) {
    return error == boost::beast::error::timeout || error == asio::error::timed_out ? "timeout" : error.message();
}

namespace {

constexpr std::size_t max_addresses = 16;

/// Shared with the resolver, whose thread may be busy long after we have given up: a look-up cannot be broken off.
struct Lookup {
    Lookup(const asio::any_io_executor& executor, std::chrono::steady_clock::time_point deadline)
        : resolver(executor), timer(executor, deadline) {}
    tcp::resolver resolver;
    asio::steady_timer timer;
    bool done = false;
    std::vector<tcp::endpoint> endpoints;
    std::string problem;
};

asio::awaitable<std::shared_ptr<Lookup>> look_up(std::string host, std::uint16_t port,
                                                 std::chrono::steady_clock::time_point deadline) {
    const auto result = std::make_shared<Lookup>(co_await asio::this_coro::executor, deadline);
    boost::system::error_code error;
    const auto address = asio::ip::make_address(host, error);
    if (!error) {
        result->endpoints = {{address, port}};
        co_return result;
    }
    result->resolver.async_resolve(
        host, std::to_string(port),
        [result, host](const boost::system::error_code& failed, const tcp::resolver::results_type& found) {
            result->done = true;
            if (failed || found.empty())
                result->problem = "lookup of " + host + ": " + failed.message();
            for (const auto& one : found)
                if (result->endpoints.size() < max_addresses)
                    result->endpoints.push_back(one);
            result->timer.cancel();
        });
    co_await result->timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    if (!result->done) {
        result->resolver.cancel();  // if it has not begun
        result->problem = "lookup of " + host + ": timeout";
    }
    co_return result;
}

}  // namespace

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
    const auto target = co_await look_up(std::move(host), port, deadline);
    if (!target->problem.empty())
        co_return Connected{target->problem};
    co_return co_await connect_any(stream, target->endpoints, deadline);
}

void abandon(boost::beast::tcp_stream& stream) {
    boost::system::error_code ignored;
    stream.socket().set_option(asio::socket_base::linger(true, 0), ignored);
    stream.socket().close(ignored);
}

}  // namespace health
