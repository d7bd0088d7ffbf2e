#include "api/cluster/http.hpp"

#include <netinet/tcp.h>

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <charconv>
#include <vector>

#include "api/cluster/gunzip.hpp"
#include "api/cluster/tls.hpp"
#include "base/resolve.hpp"

namespace api {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using namespace std::chrono_literals;

constexpr std::size_t buffer_size = std::size_t{16} * 1024;  // what a TLS record holds: more does not come at once
constexpr std::uint32_t longest_header = 16 * 1024;

std::string words_of(const boost::system::error_code& error) {
    if (error == beast::error::timeout)
        return "no answer in time";
    if (error == http::error::end_of_stream || error == asio::error::eof || error == asio::ssl::error::stream_truncated)
        return "closed by the server";
    if (error.category() == http::make_error_code(http::error::end_of_stream).category())
        return "the answer is no HTTP that can be read (" + error.message() + ")";
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
        const auto request = make_request(server_, std::move(given));
        if (secure_)
            co_return co_await exchange(*secure_, request);
        co_return co_await exchange(*plain_, request);
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

    bool reusable() const { return parser_ && parser_->is_done() && parser_->keep_alive(); }

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
                                                                  const http::request<http::string_body>& request) {
        boost::system::error_code error;
        lowest().expires_after(answer_limit);
        parser_.emplace();
        parser_->body_limit(boost::none);  // a watch has no end; what of it is kept, its readers limit
        parser_->header_limit(longest_header);
        co_await http::async_write(stream, request, asio::redirect_error(asio::use_awaitable, error));
        if (!error)
            co_await http::async_read_header(stream, buffer_, *parser_,
                                             asio::redirect_error(asio::use_awaitable, error));
        if (error)
            co_return tl::unexpected("request: " + words_of(error));
        HttpHead head;
        head.status = parser_->get().result_int();
        const auto text = parser_->get()[http::field::retry_after];
        long seconds = 0;  // the other form, a date, is not used by API servers
        if (std::from_chars(text.data(), text.data() + text.size(), seconds).ec == std::errc() && !text.empty())
            head.retry_after = std::chrono::seconds(std::clamp(seconds, 0L, 3600L));
        gunzip_.reset();
        if (parser_->get()[http::field::content_encoding] == "gzip")
            gunzip_.emplace();
        co_return head;
    }

    template <class Stream>
    asio::awaitable<tl::expected<std::string_view, std::string>> read_from(Stream& stream,
                                                                           std::chrono::milliseconds limit) {
        for (;;) {
            if (!gunzip_ || gunzip_->complete())  // then the end of the body follows
                co_return co_await receive(stream, limit);
            const auto text = gunzip_->next(unpacked_);
            if (!text || !text->empty())
                co_return text;
            const auto packed = co_await receive(stream, limit);
            if (!packed)
                co_return packed;
            if (packed->empty())
                co_return tl::unexpected(std::string("closed by the server"));  // in the middle of the text
            gunzip_->feed(*packed);
        }
    }

    /// Some of the body as it was sent; empty at its end.
    template <class Stream>
    asio::awaitable<tl::expected<std::string_view, std::string>> receive(Stream& stream,
                                                                         std::chrono::milliseconds limit) {
        while (!parser_->is_done()) {
            parser_->get().body().data = body_.data();
            parser_->get().body().size = body_.size();
            lowest().expires_after(limit);
            boost::system::error_code error;
            co_await http::async_read_some(stream, buffer_, *parser_, asio::redirect_error(asio::use_awaitable, error));
            if (error && error != http::error::need_buffer)
                co_return tl::unexpected(words_of(error));
            const std::size_t size = body_.size() - parser_->get().body().size;
            if (size > 0)
                co_return std::string_view(body_.data(), size);
        }
        co_return std::string_view();
    }

    asio::any_io_executor executor_;
    ServerUrl server_;
    TlsMaterial tls_;
    std::optional<asio::ssl::context> context_;
    std::optional<beast::tcp_stream> plain_;
    std::optional<beast::ssl_stream<beast::tcp_stream>> secure_;
    beast::flat_buffer buffer_{buffer_size};
    std::array<char, buffer_size> body_{};
    std::optional<Gunzip> gunzip_;
    std::vector<char> unpacked_ = std::vector<char>(buffer_size);
    std::optional<http::response_parser<http::buffer_body>> parser_;
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
