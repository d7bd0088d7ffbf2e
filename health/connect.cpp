#include "health/connect.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/error.hpp>
#include <tuple>

#include "health/blame.hpp"

namespace health {

namespace asio = boost::asio;
using asio::ip::tcp;

std::string words_of(const boost::system::error_code& error) {
    return error == boost::beast::error::timeout || error == asio::error::timed_out ? "timeout" : error.message();
}

namespace {

constexpr std::size_t max_addresses = 16;

struct Lookup {
    std::vector<tcp::endpoint> endpoints;
    std::string problem;
};

asio::awaitable<Lookup> look_up(std::string host, std::uint16_t port, std::chrono::steady_clock::time_point deadline) {
    using namespace asio::experimental::awaitable_operators;
    Lookup result;
    boost::system::error_code error;
    const auto address = asio::ip::make_address(host, error);
    if (!error) {
        result.endpoints = {{address, port}};
        co_return result;
    }
    const auto executor = co_await asio::this_coro::executor;
    tcp::resolver resolver(executor);
    asio::steady_timer timer(executor, deadline);
    boost::system::error_code failed;
    auto outcome = co_await (
        resolver.async_resolve(host, std::to_string(port), asio::redirect_error(asio::use_awaitable, failed)) ||
        timer.async_wait(asio::use_awaitable));
    if (outcome.index() == 1)
        result.problem = "lookup of " + host + ": timeout";
    else if (failed || std::get<0>(outcome).empty())
        result.problem = "lookup of " + host + ": " + failed.message();
    else
        for (const auto& found : std::get<0>(outcome))
            if (result.endpoints.size() < max_addresses)
                result.endpoints.push_back(found);
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
    Lookup target = co_await look_up(std::move(host), port, deadline);
    if (!target.problem.empty())
        co_return Connected{target.problem};
    co_return co_await connect_any(stream, std::move(target.endpoints), deadline);
}

void abandon(boost::beast::tcp_stream& stream) {
    boost::system::error_code ignored;
    stream.socket().set_option(asio::socket_base::linger(true, 0), ignored);
    stream.socket().close(ignored);
}

}  // namespace health
