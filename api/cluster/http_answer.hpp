// What an HTTP/1.1 server answers, from bytes to head and text. Pure: who has the connection hands in what has come.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace api {

struct HttpHead {
    unsigned status = 0;
    std::optional<std::chrono::seconds> retry_after;  ///< an hour at most
};

/// "closed by the server": what went wrong with a connection or an answer, for people.
std::string words_of(const boost::system::error_code& error);

/// One answer after the other, of one connection. Memory is bounded, whatever comes: a head has 16 KiB at most, a body
/// is handed out as it comes, unpacked when it is gzip. After an error the connection is of no use.
class HttpAnswer {
public:
    HttpAnswer();
    ~HttpAnswer();
    HttpAnswer(const HttpAnswer&) = delete;
    HttpAnswer& operator=(const HttpAnswer&) = delete;

    /// A request has been sent: what comes next is its answer.
    void begin();
    /// Where to put bytes that come; at least one when head() or text() have asked for more. Valid until the next call.
    boost::asio::mutable_buffer room();
    /// So many bytes have come into room().
    void received(std::size_t size);
    /// The server will send no more.
    void closed();

    /// Nothing: more bytes are needed. Heads of status 1xx only announce the answer (RFC 9110, 15.2): five are passed
    /// over.
    tl::expected<std::optional<HttpHead>, std::string> head();
    /// After head(): some of the body, valid until the next call; empty: it has ended. Nothing: more bytes are needed.
    tl::expected<std::optional<std::string_view>, std::string> text();
    /// Whether another request may follow: the answer has been read to its end, nothing has come behind it, and the
    /// server keeps the connection.
    bool reusable() const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace api
