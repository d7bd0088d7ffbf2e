// What an HTTP/1.1 server answers, from bytes to head and body. Pure: who has the connection hands in what has come.
// The API client and the probes read answers by it, so that the same rules hold for both.
#pragma once

#include <boost/asio/buffer.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace base {

/// Reads the answers of one connection, one after the other. Memory is bounded, whatever comes: a head has
/// `longest_head` bytes at most, a body is handed out as it comes. Errors are for people; after one the connection is
/// of no use.
class HttpReader {
public:
    explicit HttpReader(std::size_t longest_head);
    ~HttpReader();
    HttpReader(const HttpReader&) = delete;
    HttpReader& operator=(const HttpReader&) = delete;

    /// A request has been sent: what comes next is its answer.
    void begin();
    /// Gives the place for bytes that come; it has at least one when head() or body() have asked for more. Valid until
    /// the next call.
    boost::asio::mutable_buffer room();
    /// So many bytes have come into room().
    void received(std::size_t size);
    /// The server will send no more.
    void closed();

    /// Whether the head is whole; false: more bytes are needed. Heads of status 1xx only announce the answer (RFC 9110,
    /// 15.2): five are passed over, as by Go's client (net/http, max1xxResponses). But 101 is an answer: no HTTP
    /// follows.
    tl::expected<bool, std::string> head();
    /// The status of a whole head.
    unsigned status() const;
    /// A field of a whole head, by its name in any case, valid until begin(); empty: there is none.
    std::string_view field(std::string_view name) const;
    /// Gives, after head(), some of the body, valid until the next call; empty: it has ended. Nothing: more bytes are
    /// needed.
    tl::expected<std::optional<std::string_view>, std::string> body();
    /// Whether another request may follow: the answer has been read to its end, nothing has come behind it, and the
    /// server keeps the connection.
    bool reusable() const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace base
