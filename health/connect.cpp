#include "health/connect.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/error.hpp>
#include <tuple>

namespace health {

namespace asio = boost::asio;
using asio::ip::tcp;

std::string words_of(const boost::system::error_code& error) {
    return error == boost::beast::error::timeout || error == asio::error::timed_out ? "timeout" : error.message();
}

namespace {

struct Lookup {
    tcp::endpoint endpoint;
    std::string problem;
};

asio::awaitable<Lookup> look_up(std::string host, std::uint16_t port, std::chrono::steady_clock::time_point deadline) {
    using namespace asio::experimental::awaitable_operators;
    Lookup result;
    boost::system::error_code error;
    const auto address = asio::ip::make_address(host, error);
    if (!error) {
        result.endpoint = {address, port};
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
        result.endpoint = *std::get<0>(outcome).begin();
    co_return result;
}

}  // namespace

asio::awaitable<std::string> connect(boost::beast::tcp_stream& stream, std::string host, std::uint16_t port,
                                     std::chrono::steady_clock::time_point deadline) {
    Lookup target = co_await look_up(std::move(host), port, deadline);
    if (!target.problem.empty())
        co_return target.problem;
    boost::system::error_code error;
    stream.expires_at(deadline);
    co_await stream.async_connect(target.endpoint, asio::redirect_error(asio::use_awaitable, error));
    co_return error ? "connect: " + words_of(error) : std::string();
}

void abandon(boost::beast::tcp_stream& stream) {
    boost::system::error_code ignored;
    stream.socket().set_option(asio::socket_base::linger(true, 0), ignored);
    stream.socket().close(ignored);
}

}  // namespace health
