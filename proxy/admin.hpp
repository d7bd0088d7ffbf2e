// The HTTP server behind /metrics, /healthz and the operator's commands: a table of paths, served on TCP addresses
// and on a Unix socket. One request a connection at a time, keep-alive honoured.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <functional>
#include <map>
#include <string>

namespace proxy {

struct Reply {
    int status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string body;
};

/// Path (without query) to what answers it. GET and HEAD only; anything else is answered by 404 or 405.
using Pages = std::map<std::string, std::function<Reply()>, std::less<>>;

/// Accepts connections until cancelled. `pages` must outlive the coroutine. Never throws: a broken connection ends
/// alone, and a failing accept is tried again after a second.
boost::asio::awaitable<void> serve(boost::asio::ip::tcp::acceptor acceptor, const Pages& pages);
boost::asio::awaitable<void> serve(boost::asio::local::stream_protocol::acceptor acceptor, const Pages& pages);

/// The same on an address that may not be free yet: it is asked for again every 5 s. `tell` is told why it cannot be
/// listened on, whenever that changes, and an empty text once it can.
boost::asio::awaitable<void> serve_when_free(boost::asio::ip::tcp::endpoint where, const Pages& pages,
                                             std::function<void(const std::string&)> tell);

/// Asks a running podferry over its socket. Throws std::runtime_error with a sentence for people when nobody answers.
Reply ask(const std::string& socket_path, const std::string& page);

}  // namespace proxy
