// Serves HTTP behind /metrics, /healthz, the operator's commands and the health check ports of Services: a handler of
// requests (page.hpp) on TCP addresses (listener.hpp) and on a Unix socket. One request a connection at a time,
// keep-alive honoured. Whoever may reach a listener costs a bounded number of descriptors and bytes: 100 connections,
// 8 KiB of a request's header, none of its body, 10 s for the first request and 30 s for what follows.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>

#include "proxy/serve/page.hpp"

namespace proxy {

/// Accepts connections until the acceptor is closed, and with it all connections that are open then. Never throws: a
/// broken connection ends alone, and a failing accept is tried again after a second. A connection too many gets the
/// place of the one that has waited longest without a request, so that who holds connections open shuts nobody out.
boost::asio::awaitable<void> serve(std::shared_ptr<boost::asio::ip::tcp::acceptor> acceptor, Handler handler);
boost::asio::awaitable<void> serve(std::shared_ptr<boost::asio::local::stream_protocol::acceptor> acceptor,
                                   Handler handler);

/// Nobody has answered; what() is a sentence for people.
struct Unreachable : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// How long ask() waits.
inline constexpr std::chrono::seconds answer_limit{15};

/// Asks a running podferry over its socket. Throws Unreachable.
Reply ask(const std::string& socket_path, const std::string& page);

}  // namespace proxy
