// Resolving and connecting within a deadline.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "health/checks/probe.hpp"

namespace health {

/// What connecting ended with.
struct Connected {
    std::string problem;  ///< for people; empty: there is a connection
    Doubt doubt = Doubt::none;
};

/// Connects to a name or address: of a name to the first of its addresses that answers, as connect_any does. The
/// stream's own timeout covers the connection; `deadline` also the name's lookup.
boost::asio::awaitable<Connected> connect(boost::beast::tcp_stream& stream, std::string host, std::uint16_t port,
                                          std::chrono::steady_clock::time_point deadline);

/// Tries one address after the other, each with an equal share of what is left of the time, so that one that is silent
/// does not use up that of the others. Returns the first one's problem when all fail.
boost::asio::awaitable<Connected> connect_any(boost::beast::tcp_stream& stream,
                                              std::vector<boost::asio::ip::tcp::endpoint> endpoints,
                                              std::chrono::steady_clock::time_point deadline);

/// Closes with a reset: no TIME_WAIT.
void abandon(boost::beast::tcp_stream& stream);

/// "Connection refused"; "timeout" for a stream whose time is over.
std::string words_of(const boost::system::error_code& error);

}  // namespace health
