// What an API server answers, from bytes to head and text. Pure: who has the connection hands in what has come.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "api/cluster/gunzip.hpp"
#include "base/http_reader.hpp"

namespace api {

struct HttpHead {
    unsigned status = 0;
    std::optional<std::chrono::seconds> retry_after;  ///< an hour at most
};

/// One answer after the other, of one connection, by the rules of base::HttpReader, with heads of 16 KiB at most. A
/// body is unpacked when it is gzip. After an error the connection is of no use.
class HttpAnswer {
public:
    /// A request has been sent: what comes next is its answer.
    void begin();
    /// The same as those of HttpReader.
    boost::asio::mutable_buffer room() { return reader_.room(); }
    void received(std::size_t size) { reader_.received(size); }
    void closed() { reader_.closed(); }

    /// Nothing: more bytes are needed.
    tl::expected<std::optional<HttpHead>, std::string> head();
    /// Gives, after head(), some of the body, valid until the next call; empty: it has ended. Nothing: more bytes are
    /// needed.
    tl::expected<std::optional<std::string_view>, std::string> text();
    /// Whether another request may follow; as HttpReader has it.
    bool reusable() const { return reader_.reusable() && !damaged_; }

private:
    tl::expected<std::optional<std::string_view>, std::string> unpacked_text();

    base::HttpReader reader_{std::size_t{16} * 1024};
    std::optional<Gunzip> gunzip_;
    std::vector<char> unpacked_;
    bool damaged_ = false;  ///< what is packed is
};

}  // namespace api
