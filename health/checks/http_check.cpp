#include <algorithm>
#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/write.hpp>
#include <cctype>
#include <charconv>

#include "base/http_reader.hpp"
#include "base/plain_text.hpp"
#include "health/checks/checks.hpp"
#include "health/checks/connect.hpp"
#include "health/checks/http_target.hpp"
#include "health/checks/tls.hpp"
#include "health/h2/drive.hpp"

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

/// What is about a connection has no place in HTTP/2 (RFC 9113, 8.2.2), and a probe has no body.
bool is_of_connection(const std::string& name) {
    static constexpr std::array names = {"connection", "content-length",   "host", "http2-settings",
                                         "keep-alive", "proxy-connection", "te",   "transfer-encoding",
                                         "upgrade"};
    return std::find(names.begin(), names.end(), name) != names.end();
}

/// No white space at either end (RFC 9113, 8.2.1).
std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    return first == std::string_view::npos ? "" : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// The same request, as HTTP/2 has it.
H2Request over_h2(const Request& request, std::string scheme) {
    H2Request result;
    result.scheme = std::move(scheme);
    result.authority = request[http::field::host];
    result.path = request.target();
    for (const auto& field : request) {
        std::string name = field.name_string();
        std::transform(name.begin(), name.end(), name.begin(),
                       [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        if (!is_of_connection(name))
            result.fields.emplace_back(std::move(name), std::string(trimmed(field.value())));
    }
    return result;
}

template <class Stream>
asio::awaitable<Exchange> exchange_h2(Stream& stream, H2Request request) {
    H2Exchange exchange(std::move(request), H2Exchange::Until::head, {.head = longest_head});
    co_await drive(stream, exchange, words_of);
    co_return Exchange{exchange.status(), std::string(exchange.field("location")), exchange.problem(), Doubt::none};
}

std::uint16_t port_of(const HttpUrl& url) {
    std::uint16_t port = url.https ? 443 : 80;
    std::from_chars(url.port.data(), url.port.data() + url.port.size(), port);
    return port;
}

asio::awaitable<Exchange> ask_plainly(const HttpUrl& url, Request request, bool h2, Deadline deadline) {
    boost::beast::tcp_stream stream(co_await asio::this_coro::executor);
    const Connected connected = co_await connect(stream, url.host, port_of(url), deadline);
    Exchange result{0, "", connected.problem, connected.doubt};
    if (connected.problem.empty() && h2)
        result = co_await exchange_h2(stream, over_h2(request, "http"));
    else if (connected.problem.empty())
        result = co_await exchange(stream, std::move(request));
    abandon(stream);
    co_return result;
}

asio::awaitable<Exchange> ask_by_tls(const HttpUrl& url, Request request, Deadline deadline) {
    TlsStream stream = make_tls(co_await asio::this_coro::executor);
    const Connected connected = co_await connect(stream.next_layer(), url.host, port_of(url), deadline);
    Exchange result{0, "", connected.problem, connected.doubt};
    if (result.problem.empty())
        result.problem = co_await shake_hands(stream, url.host, Offer::either);
    if (result.problem.empty() && speaks_h2(stream))
        result = co_await exchange_h2(stream, over_h2(request, "https"));
    else if (result.problem.empty())
        result = co_await exchange(stream, std::move(request));
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
        Request request = make_request(check, url, referer, keep_host);
        const Exchange answer = url.https ? co_await ask_by_tls(url, std::move(request), deadline)
                                          : co_await ask_plainly(url, std::move(request), check.h2, deadline);
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
