#include "base/resolve.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;

TEST_CASE("an address needs no resolver; a name that has none is said") {
    asio::io_context context;
    const auto found = [&](const std::string& host) {
        std::string text;
        asio::co_spawn(context, base::resolve(context.get_executor(), host, 80, std::chrono::steady_clock::now() + 20s),
                       [&](const std::exception_ptr&,
                           const tl::expected<std::vector<tcp::endpoint>, boost::system::error_code>& result) {
                           text = result ? result->front().address().to_string() : result.error().message();
                       });
        context.restart();
        context.run_for(30s);
        return text;
    };
    CHECK(found("10.0.0.1") == "10.0.0.1");
    CHECK(found("fd00::1") == "fd00::1");
    CHECK_THAT(found("localhost"), Catch::Contains("1"));
    CHECK(found("no-such-host.invalid").starts_with("Host not found"));
}

TEST_CASE("nobody waits for a name longer than the deadline") {
    asio::io_context context;
    boost::system::error_code error;
    asio::co_spawn(context,
                   base::resolve(context.get_executor(), "no-such-host.invalid", 80, std::chrono::steady_clock::now()),
                   [&](const std::exception_ptr&, const auto& result) { error = result.error(); });
    context.run();
    CHECK((error == asio::error::timed_out || error == asio::error::host_not_found));
}
