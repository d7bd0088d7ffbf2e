// The addresses of a name, within a deadline.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <vector>

namespace base {

/// No more of them are tried, however many the DNS says.
inline constexpr std::size_t most_addresses = 16;

/// Gives at least one address, by the deadline at the latest, whatever the resolver does: what it says later is not
/// waited for. An address is its own answer. The error is asio::error::timed_out when there was none in time.
boost::asio::awaitable<tl::expected<std::vector<boost::asio::ip::tcp::endpoint>, boost::system::error_code>> resolve(
    boost::asio::any_io_executor executor, std::string host, std::uint16_t port,
    std::chrono::steady_clock::time_point deadline);

}  // namespace base
