// One connection to an API server: HTTP/1.1 over TLS, one request after the other, answers read as they come
// (api/cluster/http_answer).
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "api/cluster/http_answer.hpp"
#include "api/cluster/server_url.hpp"

namespace api {

/// What a TLS connection is made with. The server's certificate is verified against `ca_pem` (empty: the system's
/// authorities) and against `server_name` (empty: the host of the URL), unless `verify` is false.
struct TlsMaterial {
    bool verify = true;
    std::string ca_pem;
    std::string server_name;
    std::string certificate_pem;  ///< of the client; empty: none
    std::string key_pem;
    bool operator==(const TlsMaterial&) const = default;
};

struct HttpRequest {
    std::string method = "GET";
    std::string target;  ///< path and query
    std::string bearer_token;
    std::string accept;
    std::string content_type;  ///< of the body
    std::string body;
    std::chrono::milliseconds answer_within{
        60'000};  ///< how long to wait for the head; lists of a busy server need their time
};

/// Every wait has a limit, so that a server that is gone without a word is noticed; the error says in words what
/// happened ("connect: Connection refused"). After an error the connection is of no use.
class HttpConnection {
public:
    static constexpr std::chrono::milliseconds connect_limit{10'000};

    HttpConnection(boost::asio::any_io_executor executor, ServerUrl server, TlsMaterial tls);
    ~HttpConnection();
    HttpConnection(const HttpConnection&) = delete;
    HttpConnection& operator=(const HttpConnection&) = delete;

    /// An empty text: connected.
    boost::asio::awaitable<std::string> connect();
    boost::asio::awaitable<tl::expected<HttpHead, std::string>> send(HttpRequest request);
    /// Some of the answer's body; an empty view: it has ended. Valid until the next call.
    boost::asio::awaitable<tl::expected<std::string_view, std::string>> read(std::chrono::milliseconds limit);
    /// Who is connected to; nothing when nobody is.
    std::optional<boost::asio::ip::tcp::endpoint> peer() const;
    /// Whether another request may follow: the answer has been read to its end, and the server keeps the connection.
    bool reusable() const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace api
