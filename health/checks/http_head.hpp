// The head of an HTTP answer, which is all that a probe reads of it, from bytes. Pure: who has the connection hands in
// what has come.
#pragma once

#include <boost/asio/buffer.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>

namespace health {

struct HttpHead {
    unsigned status = 0;
    std::string location;  ///< of a redirect; empty: none is given
};

/// Of one answer. All heads together have 64 KiB at most. After an error it is of no use.
class HttpHeadReader {
public:
    HttpHeadReader();
    ~HttpHeadReader();
    HttpHeadReader(const HttpHeadReader&) = delete;
    HttpHeadReader& operator=(const HttpHeadReader&) = delete;

    /// Where to put bytes that come; at least one when read() has asked for more. Valid until the next call.
    boost::asio::mutable_buffer room();
    /// So many bytes have come into room().
    void received(std::size_t size);
    /// The server will send no more.
    void closed();

    /// Nothing: more bytes are needed. Heads of status 1xx announce the real answer; five of them are passed over, as
    /// Go's client does (net/http, max1xxResponses), but 101 is an answer. The error is for people.
    tl::expected<std::optional<HttpHead>, std::string> read();

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace health
