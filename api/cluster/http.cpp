#include "api/cluster/http.hpp"

#include <netinet/tcp.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>

#include "api/cluster/tls.hpp"
#include "base/resolve.hpp"

namespace api {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using namespace std::chrono_literals;

/// What went wrong with a connection, for people.
std::string words_of(const boost::system::error_code& error) {
    if (error == beast::error::timeout)
        return "no answer in time";
    if (error == http::error::end_of_stream || error == asio::error::eof || error == asio::ssl::error::stream_truncated)
        return "closed by the server";
    return error.message();
}

/// A peer that has vanished (no FIN, no RST) is noticed within half a minute, whether we are sending or only listening.
void notice_dead_peers(tcp::socket& socket) {
    boost::system::error_code ignored;
    socket.set_option(asio::socket_base::keep_alive(true), ignored);
    socket.set_option(tcp::no_delay(true), ignored);
    const std::pair<int, int> options[] = {
        {TCP_KEEPIDLE, 15}, {TCP_KEEPINTVL, 5}, {TCP_KEEPCNT, 3}, {TCP_USER_TIMEOUT, 30'000}};
    for (const auto& [option, value] : options)
        ::setsockopt(socket.native_handle(), IPPROTO_TCP, option, &value, sizeof(value));
}

http::request<http::string_body> make_request(const ServerUrl& server, HttpRequest given) {
    http::request<http::string_body> request(http::string_to_verb(given.method), server.prefix + given.target, 11);
    request.set(http::field::host, authority(server));
    request.set(http::field::user_agent, "podferry/" PODFERRY_VERSION);
    request.set(http::field::accept, given.accept);
    request.set(http::field::accept_encoding, "gzip");  // what client-go asks for; servers pack lists, not watches
    if (!given.bearer_token.empty())
        request.set(http::field::authorization, "Bearer " + given.bearer_token);
    if (!given.content_type.empty())
        request.set(http::field::content_type, given.content_type);
    request.body() = std::move(given.body);
    request.prepare_payload();
    return request;
}

}  // namespace

class HttpConnection::Impl {
public:
    Impl(asio::any_io_executor executor, ServerUrl server, TlsMaterial tls)
        : executor_(std::move(executor)), server_(std::move(server)), tls_(std::move(tls)) {}

    asio::awaitable<std::string> connect() {
        const auto addresses = co_await base::resolve(executor_, server_.host, server_.port,
                                                      std::chrono::steady_clock::now() + connect_limit);
        if (!addresses)
            co_return "name " + server_.host + ": " +
                (addresses.error() == asio::error::timed_out ? "no answer in time" : addresses.error().message());
        if (std::string problem = make_stream(); !problem.empty())
            co_return problem;
        // Each address has its share of the time, lest the first one, of a host that is gone, uses all of it up.
        const auto share = std::max<std::chrono::milliseconds>(connect_limit / addresses->size(), 2s);
        boost::system::error_code error;
        for (const tcp::endpoint& address : *addresses) {
            boost::system::error_code of_another_family;
            lowest().socket().close(of_another_family);
            lowest().expires_after(share);
            co_await lowest().async_connect(address, asio::redirect_error(asio::use_awaitable, error));
            if (!error)
                break;
        }
        if (error)
            co_return "connect: " + words_of(error);
        notice_dead_peers(lowest().socket());
        if (secure_)
            co_return co_await shake_hands();
        co_return std::string();
    }

    asio::awaitable<tl::expected<HttpHead, std::string>> send(HttpRequest given) {
        const auto limit = given.answer_within;
        const auto request = make_request(server_, std::move(given));
        if (secure_)
            co_return co_await exchange(*secure_, request, limit);
        co_return co_await exchange(*plain_, request, limit);
    }

    asio::awaitable<tl::expected<std::string_view, std::string>> read(std::chrono::milliseconds limit) {
        if (secure_)
            co_return co_await read_from(*secure_, limit);
        co_return co_await read_from(*plain_, limit);
    }

    std::optional<tcp::endpoint> peer() {
        boost::system::error_code error;
        const tcp::endpoint peer = lowest().socket().remote_endpoint(error);
        return error ? std::nullopt : std::optional(peer);
    }

    bool reusable() const { return answer_.reusable(); }

private:
    beast::tcp_stream& lowest() { return secure_ ? secure_->next_layer() : *plain_; }

    std::string make_stream() {
        if (!server_.tls) {
            plain_.emplace(executor_);
            return {};
        }
        auto context = make_context(tls_, to_string(server_));
        if (!context)
            return context.error();
        context_.emplace(std::move(*context));
        secure_.emplace(executor_, *context_);
        std::string problem = expect_name(secure_->native_handle(), expected_name(tls_, server_));
        return tls_.verify ? problem : "";
    }

    asio::awaitable<std::string> shake_hands() {
        boost::system::error_code error;
        co_await secure_->async_handshake(asio::ssl::stream_base::client,
                                          asio::redirect_error(asio::use_awaitable, error));
        if (!error)
            co_return std::string();
        std::string reason = distrust(secure_->native_handle(), tls_, server_);
        co_return reason.empty() ? "TLS: " + words_of(error) : std::move(reason);
    }

    template <class Stream>
    asio::awaitable<tl::expected<HttpHead, std::string>> exchange(Stream& stream,
                                                                  const http::request<http::string_body>& request,
                                                                  std::chrono::milliseconds limit) {
        boost::system::error_code error;
        lowest().expires_after(limit);
        answer_.begin();
        co_await http::async_write(stream, request, asio::redirect_error(asio::use_awaitable, error));
        if (error)
            co_return tl::unexpected("request: " + words_of(error));
        for (;;) {
            const auto head = answer_.head();
            if (!head)
                co_return tl::unexpected("request: " + head.error());
            if (*head)
                co_return **head;
            if (const std::string problem = co_await receive(stream); !problem.empty())
                co_return tl::unexpected("request: " + problem);
        }
    }

    template <class Stream>
    asio::awaitable<tl::expected<std::string_view, std::string>> read_from(Stream& stream,
                                                                           std::chrono::milliseconds limit) {
        for (;;) {
            const auto text = answer_.text();
            if (!text)
                co_return tl::unexpected(text.error());
            if (*text)
                co_return **text;
            lowest().expires_after(limit);
            if (const std::string problem = co_await receive(stream); !problem.empty())
                co_return tl::unexpected(problem);
        }
    }

    /// Hands some bytes of the answer on. Returns what went wrong.
    template <class Stream>
    asio::awaitable<std::string> receive(Stream& stream) {
        boost::system::error_code error;
        const std::size_t size =
            co_await stream.async_read_some(answer_.room(), asio::redirect_error(asio::use_awaitable, error));
        answer_.received(size);
        if (error == asio::error::eof)
            answer_.closed();
        else if (error)
            co_return words_of(error);
        co_return std::string();
    }

    asio::any_io_executor executor_;
    ServerUrl server_;
    TlsMaterial tls_;
    std::optional<asio::ssl::context> context_;
    std::optional<beast::tcp_stream> plain_;
    std::optional<beast::ssl_stream<beast::tcp_stream>> secure_;
    HttpAnswer answer_;
};

HttpConnection::HttpConnection(asio::any_io_executor executor, ServerUrl server, TlsMaterial tls)
    : impl_(std::make_unique<Impl>(std::move(executor), std::move(server), std::move(tls))) {}

HttpConnection::~HttpConnection() = default;

asio::awaitable<std::string> HttpConnection::connect() {
    return impl_->connect();
}

asio::awaitable<tl::expected<HttpHead, std::string>> HttpConnection::send(HttpRequest request) {
    return impl_->send(std::move(request));
}

asio::awaitable<tl::expected<std::string_view, std::string>> HttpConnection::read(std::chrono::milliseconds limit) {
    return impl_->read(limit);
}

std::optional<tcp::endpoint> HttpConnection::peer() const {
    return impl_->peer();
}

bool HttpConnection::reusable() const {
    return impl_->reusable();
}

}  // namespace api
