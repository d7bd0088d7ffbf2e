// Resolving and connecting within a deadline.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <cstdint>
#include <string>

namespace health {

/// Connects to a name or address. The stream's own timeout covers the connection; `deadline` also the name's lookup.
/// Returns what went wrong, for people; empty: connected.
boost::asio::awaitable<std::string> connect(boost::beast::tcp_stream& stream, std::string host, std::uint16_t port,
                                            std::chrono::steady_clock::time_point deadline);

/// Closes with a reset: no TIME_WAIT.
void abandon(boost::beast::tcp_stream& stream);

/// "Connection refused"; "timeout" for a stream whose time is over.
std::string words_of(const boost::system::error_code& error);

}  // namespace health
