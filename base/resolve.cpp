#include "base/resolve.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>

namespace base {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

/// Shared with the resolver, whose thread may be busy long after we have given up: a look-up cannot be cancelled.
struct LookUp {
    LookUp(const asio::any_io_executor& executor, std::chrono::steady_clock::time_point deadline)
        : resolver(executor), timer(executor, deadline) {}
    tcp::resolver resolver;
    asio::steady_timer timer;
    bool done = false;
    boost::system::error_code error;
    std::vector<tcp::endpoint> found;
};

}  // namespace

asio::awaitable<tl::expected<std::vector<tcp::endpoint>, boost::system::error_code>> resolve(
    asio::any_io_executor executor, std::string host, std::uint16_t port,
    std::chrono::steady_clock::time_point deadline) {
    boost::system::error_code no_address;
    const auto address = asio::ip::make_address(host, no_address);
    if (!no_address)
        co_return std::vector{tcp::endpoint(address, port)};
    const auto look_up = std::make_shared<LookUp>(executor, deadline);
    look_up->resolver.async_resolve(
        host, std::to_string(port),
        [look_up](const boost::system::error_code& error, const tcp::resolver::results_type& results) {
            look_up->done = true;
            look_up->error = error;
            for (const auto& result : results)
                if (look_up->found.size() < most_addresses)
                    look_up->found.push_back(result.endpoint());
            look_up->timer.cancel();
        });
    boost::system::error_code woken;
    co_await look_up->timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    if (!look_up->done) {
        look_up->resolver.cancel();  // if it has not begun
        co_return tl::unexpected(make_error_code(asio::error::timed_out));
    }
    if (!look_up->error && look_up->found.empty())
        look_up->error = asio::error::host_not_found;
    if (look_up->error)
        co_return tl::unexpected(look_up->error);
    co_return std::move(look_up->found);
}

}  // namespace base
