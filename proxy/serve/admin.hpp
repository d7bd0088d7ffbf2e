// The HTTP server behind /metrics, /healthz, the operator's commands and the health check ports of Services: a table of
// paths, or one answer to everything, served on TCP addresses and on a Unix socket. One request a connection at a time,
// keep-alive honoured. Whoever may reach a listener costs a bounded number of descriptors and bytes: 100 connections,
// 8 KiB of a request's header, none of its body, 10 s for the first request and 30 s for what follows.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace proxy {

struct Reply {
    int status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;  ///< besides the usual ones
};

/// What answers a request for a page: at once, or in turns of the loop.
class Page {
public:
    template <class Make>
        requires std::is_invocable_r_v<Reply, Make>
    Page(Make make) : make_(std::move(make)) {}
    template <class Make>
        requires std::is_invocable_r_v<boost::asio::awaitable<Reply>, Make>
    Page(Make make) : make_in_turns_(std::move(make)) {}

    boost::asio::awaitable<Reply> reply() const {
        if (make_)
            co_return make_();
        co_return co_await make_in_turns_();
    }

private:
    std::function<Reply()> make_;
    std::function<boost::asio::awaitable<Reply>()> make_in_turns_;
};

/// Path (without query) to what answers it. GET and HEAD only; anything else is answered by 404 or 405.
using Pages = std::map<std::string, Page, std::less<>>;

/// What answers a request, whatever its path and method; nullopt: the connection is closed without an answer.
using Answer = std::function<std::optional<Reply>()>;

/// Accepts connections until cancelled. `pages` must outlive the coroutine. Never throws: a broken connection ends
/// alone, and a failing accept is tried again after a second. A connection too many takes the place of the one that has
/// waited longest without a request, so that who holds connections open shuts nobody out.
boost::asio::awaitable<void> serve(boost::asio::ip::tcp::acceptor acceptor, const Pages& pages);
boost::asio::awaitable<void> serve(boost::asio::local::stream_protocol::acceptor acceptor, const Pages& pages);

/// The same on an address that may not be free yet: it is asked for again every 5 s. `tell` is told why it cannot be
/// listened on, whenever that changes, and an empty text once it can.
boost::asio::awaitable<void> serve_when_free(boost::asio::ip::tcp::endpoint where, const Pages& pages,
                                             std::function<void(const std::string&)> tell);

/// The same until the acceptor is closed, and with it all connections that are open then.
boost::asio::awaitable<void> serve(std::shared_ptr<boost::asio::ip::tcp::acceptor> acceptor, Answer answer);

/// Nobody has answered; what() is a sentence for people.
struct Unreachable : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// How long ask() waits.
inline constexpr std::chrono::seconds answer_limit{15};

/// Asks a running podferry over its socket. Throws Unreachable.
Reply ask(const std::string& socket_path, const std::string& page);

}  // namespace proxy
