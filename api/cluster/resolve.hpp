// The addresses of a server's name.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <vector>

namespace api {

/// No more of them are tried, however many the DNS says.
inline constexpr std::size_t most_addresses = 16;

/// Within the limit, whatever the resolver does: what it says later is not waited for. An address is its own answer.
boost::asio::awaitable<tl::expected<std::vector<boost::asio::ip::tcp::endpoint>, std::string>> resolve(
    boost::asio::any_io_executor executor, std::string host, std::uint16_t port, std::chrono::milliseconds limit);

}  // namespace api
