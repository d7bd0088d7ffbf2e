#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <charconv>

#include "base/http_reader.hpp"
#include "base/plain_text.hpp"
#include "health/checks/checks.hpp"
#include "health/checks/connect.hpp"
#include "health/checks/http_target.hpp"

namespace health {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Request = http::request<http::empty_body>;
using Deadline = std::chrono::steady_clock::time_point;

constexpr std::size_t longest_head = std::size_t{64} * 1024;
constexpr int max_requests = 10;                // in a chain of redirects
constexpr std::size_t max_location = 8 * 1024;  // a request's line and its Referer grow from it

/// The answer's header, or why there is none.
struct Exchange {
    unsigned status = 0;
    std::string location;
    std::string problem;
    Doubt doubt = Doubt::none;
};

/// Certificates are not verified: a probe asks whether the server answers, not who it is.
asio::ssl::context& tls() {
    static asio::ssl::context context = [] {
        asio::ssl::context fresh(asio::ssl::context::tls_client);
        fresh.set_verify_mode(asio::ssl::verify_none);
        return fresh;
    }();
    return context;
}

bool is_field(std::string_view name, std::string_view field) {
    return std::equal(name.begin(), name.end(), field.begin(), field.end(),
                      [](char a, char b) { return (a | 0x20) == (b | 0x20); });
}

/// Host, User-Agent and Accept are the probe's unless the manifest gives them; an empty one given is not sent.
Request make_request(const HttpCheck& check, const HttpUrl& url, const std::string& referer, bool keep_host) {
    Request request{http::verb::get, url.target, 11};
    request.set(http::field::host, host_text(url.host, url.port));
    bool agent = false;
    bool accept = false;
    for (const auto& [name, value] : check.headers) {
        if (is_field(name, "Host")) {
            if (keep_host && !value.empty())
                request.set(http::field::host, value);
            continue;
        }
        agent = agent || is_field(name, "User-Agent");
        accept = accept || is_field(name, "Accept");
        if (!value.empty() || !(is_field(name, "User-Agent") || is_field(name, "Accept")))
            request.insert(name, value);
    }
    if (!agent)
        request.set(http::field::user_agent, "podferry-probe/" PODFERRY_VERSION);
    if (!accept)
        request.set(http::field::accept, "*/*");
    if (!referer.empty())
        request.set(http::field::referer, referer);
    request.set(http::field::connection, "close");
    return request;
}

template <class Stream>
asio::awaitable<Exchange> exchange(Stream& stream, Request request) {
    Exchange result;
    boost::system::error_code error;
    co_await http::async_write(stream, request, asio::redirect_error(asio::use_awaitable, error));
    if (error) {
        result.problem = "write: " + words_of(error);
        co_return result;
    }
    base::HttpReader reader(longest_head);
    for (;;) {
        const auto whole = reader.head();
        if (!whole)
            result.problem = "read: " + whole.error();
        else if (*whole)
            result = {reader.status(), std::string(reader.field("Location")), {}, Doubt::none};
        if (!whole || *whole)
            co_return result;
        const std::size_t size =
            co_await stream.async_read_some(reader.room(), asio::redirect_error(asio::use_awaitable, error));
        reader.received(size);
        if (error == asio::error::eof) {
            reader.closed();
        } else if (error) {
            result.problem = "read: " + words_of(error);
            co_return result;
        }
    }
}

std::uint16_t port_of(const HttpUrl& url) {
    std::uint16_t port = url.https ? 443 : 80;
    std::from_chars(url.port.data(), url.port.data() + url.port.size(), port);
    return port;
}

asio::awaitable<Exchange> ask(const HttpUrl& url, Request request, Deadline deadline) {
    const auto executor = co_await asio::this_coro::executor;
    Exchange result;
    if (!url.https) {
        boost::beast::tcp_stream stream(executor);
        const Connected connected = co_await connect(stream, url.host, port_of(url), deadline);
        if (connected.problem.empty())
            result = co_await exchange(stream, std::move(request));
        else
            result = {0, "", connected.problem, connected.doubt};
        abandon(stream);
        co_return result;
    }
    boost::beast::ssl_stream<boost::beast::tcp_stream> stream(executor, tls());
    const Connected connected = co_await connect(stream.next_layer(), url.host, port_of(url), deadline);
    result.problem = connected.problem;
    result.doubt = connected.doubt;
    boost::system::error_code is_name;
    asio::ip::make_address(url.host, is_name);
    if (result.problem.empty() && is_name && SSL_set_tlsext_host_name(stream.native_handle(), url.host.c_str()) != 1)
        result.problem = "TLS: the name '" + url.host + "' cannot be sent";
    if (result.problem.empty()) {
        boost::system::error_code error;
        co_await stream.async_handshake(asio::ssl::stream_base::client,
                                        asio::redirect_error(asio::use_awaitable, error));
        if (error)
            result.problem = "TLS: " + words_of(error);
        else
            result = co_await exchange(stream, std::move(request));
    }
    abandon(stream.next_layer());
    co_return result;
}

bool is_redirect(unsigned status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

Outcome judge(const Exchange& answer) {
    Outcome outcome;
    if (!answer.problem.empty())
        outcome = {Answer::failure, answer.problem, {}, answer.doubt};
    else if (answer.status >= 200 && answer.status < 300)
        outcome.answer = Answer::success;
    else if (answer.status >= 300 && answer.status < 400)
        outcome = {Answer::warning, "HTTP probe ended with a redirect: " + std::to_string(answer.status), {}};
    else
        outcome = {Answer::failure, "HTTP probe failed with statuscode: " + std::to_string(answer.status), {}};
    return outcome;
}

/// Redirects to the same host are followed; one to another host is the answer.
asio::awaitable<Outcome> follow(HttpCheck check, Deadline deadline) {
    HttpUrl url{check.https, check.host, std::to_string(check.port), request_target(check.path)};
    std::string referer;
    bool keep_host = true;
    for (int requests = 1;; ++requests) {
        const Exchange answer = co_await ask(url, make_request(check, url, referer, keep_host), deadline);
        if (!answer.problem.empty() || !is_redirect(answer.status) || answer.location.empty())
            co_return judge(answer);
        if (answer.location.size() > max_location)
            co_return Outcome{Answer::failure, "redirect to a URL of more than 8 KiB", {}};
        const auto next = resolve_location(url, answer.location);
        if (!next)
            co_return Outcome{
                Answer::failure, "redirect to " + base::quoted(answer.location) + ", which is no URL", {}};
        if (next->host != check.host)
            co_return judge(answer);
        if (requests == max_requests)
            co_return Outcome{Answer::failure, "stopped after 10 redirects", {}};
        referer = url.https && !next->https ? "" : to_string(url);
        keep_host = answer.location.find("//") == std::string::npos;
        url = *next;
    }
}

}  // namespace

asio::awaitable<Outcome> check_http(HttpCheck check, std::chrono::milliseconds timeout) {
    const auto started = std::chrono::steady_clock::now();
    Outcome outcome = co_await follow(std::move(check), started + timeout);
    outcome.took = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - started);
    co_return outcome;
}

}  // namespace health
