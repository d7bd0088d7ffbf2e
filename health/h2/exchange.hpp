// One request over HTTP/2 and its answer, from bytes to bytes (RFC 9113, by nghttp2). Pure: who has the connection
// writes what to_send() gives, and hands in what has come (drive.hpp does both). A connection carries one exchange.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace health {

/// What is asked. Names of fields in lower case; none that HTTP/2 has in its frames (Host, Connection, ...).
struct H2Request {
    std::string method = "GET";
    std::string scheme = "http";
    std::string authority;
    std::string path = "/";
    std::vector<std::pair<std::string, std::string>> fields;
    std::string body;  ///< empty: none, and the request ends with its head
};

/// What a server may send. Memory and work are bounded by it, whatever comes.
struct H2Bounds {
    std::size_t head = std::size_t{64} * 1024;    ///< bytes of one block of fields, 32 more for each (RFC 9113, 6.5.2)
    std::size_t noise = std::size_t{512} * 1024;  ///< bytes in all that are no body
    std::size_t frames = 500;                     ///< in all, but those that bring some body
};

class H2Exchange {
public:
    /// When the exchange is over: with the final head, or with the end of the answer.
    enum class Until : std::uint8_t { head, end };
    /// Takes some of the body; false: no more of it is wanted, and the exchange is over. Must not throw.
    using Body = std::function<bool(std::string_view piece)>;

    H2Exchange(H2Request request, Until until, H2Bounds bounds, Body body = {});
    ~H2Exchange();
    H2Exchange(const H2Exchange&) = delete;
    H2Exchange& operator=(const H2Exchange&) = delete;

    /// What is to be written now, once; empty: nothing.
    std::string to_send();
    /// Some bytes have come.
    void received(std::string_view bytes);
    /// The server will send no more.
    void closed();
    /// The connection is of no use any more: why, for people.
    void broken(std::string why);

    /// Nothing more is waited for: there is what was asked for, or a problem.
    bool is_over() const;
    /// Why there is no answer, for people; empty: nothing is known to be wrong.
    const std::string& problem() const;
    /// The server's own code, when it has ended the exchange before its end (RFC 9113, 7).
    std::optional<std::uint32_t> reset() const;
    /// The status of the final head; 0: there is none yet. Heads of status 1xx only announce it: five are passed over,
    /// as by Go's client (net/http, max1xxResponses).
    unsigned status() const;
    /// A field of the final head, by its name in lower case; empty: there is none.
    std::string_view field(std::string_view name) const;
    /// The same of the fields behind the body; of the head when that is the whole answer ("trailers only").
    std::string_view trailer(std::string_view name) const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

/// "REFUSED_STREAM" for 7.
std::string h2_error_name(std::uint32_t code);

}  // namespace health
