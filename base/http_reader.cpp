#include "base/http_reader.hpp"

#include <algorithm>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <vector>

namespace base {
namespace {

namespace http = boost::beast::http;
using Error = boost::system::error_code;

constexpr std::size_t head_piece = 4096;                    // most heads are shorter
constexpr std::size_t body_piece = std::size_t{16} * 1024;  // what a TLS record holds: more does not come at once
constexpr int most_announcements = 5;
/// "0", CRLF, CRLF. Beast asserts so many bytes when it looks at a last chunk again (1.81, parse_chunk_header): whose
/// first three come alone, and then one, would end the process.
constexpr std::size_t shortest_chunk = 5;

std::string words_of(const Error& error) {
    if (error == http::error::end_of_stream || error == http::error::partial_message)
        return "closed by the server";
    return "the answer is no HTTP that can be read (" + error.message() + ")";
}

}  // namespace

class HttpReader::Impl {
public:
    explicit Impl(std::size_t longest_head) : longest_head_(longest_head), bytes_(std::max(longest_head, body_piece)) {
        restart();
    }

    void begin() {
        restart();
        announcements_ = 0;
    }

    boost::asio::mutable_buffer room() {
        const std::size_t piece = parser_->is_header_done() ? body_piece : head_piece;
        return bytes_.prepare(std::min(bytes_.max_size() - bytes_.size(), piece));
    }
    void received(std::size_t size) { bytes_.commit(size); }
    void closed() { closed_ = true; }

    tl::expected<bool, std::string> head() {
        for (;;) {
            while (!parser_->is_header_done())
                if (auto more = parse(); !more || !*more)
                    return more;
            if (!announces())
                return true;
            if (++announcements_ > most_announcements)
                return fail("the answer is only announced, again and again");
            restart();
        }
    }

    const http::response_header<>& fields() const { return parser_->get(); }

    tl::expected<std::optional<std::string_view>, std::string> body() {
        body_.resize(body_piece);
        while (!parser_->is_done()) {
            parser_->get().body().data = body_.data();
            parser_->get().body().size = body_.size();
            const auto more = parse();
            if (!more)
                return tl::unexpected(more.error());
            if (const std::size_t size = body_.size() - parser_->get().body().size; size > 0)
                return std::string_view(body_.data(), size);
            if (!*more)
                return std::nullopt;
        }
        return std::string_view();
    }

    bool reusable() const {
        return parser_->is_done() && parser_->keep_alive() && bytes_.size() == 0 && !closed_ && !broken_;
    }

private:
    bool announces() const {
        const unsigned status = fields().result_int();
        return status >= 100 && status < 200 && status != 101;
    }

    void restart() {
        parser_.emplace();
        in_vain_ = false;
        parser_->body_limit(boost::none);  // a watch has no end; what of it is kept, its readers limit
        parser_->header_limit(static_cast<std::uint32_t>(longest_head_));
    }

    tl::unexpected<std::string> fail(std::string words) {
        broken_ = true;
        return tl::unexpected(std::move(words));
    }

    /// Reads on; false: more bytes are needed.
    tl::expected<bool, std::string> parse() {
        Error error = http::error::need_more;
        if (bytes_.size() >= (in_vain_ ? shortest_chunk : 1)) {
            const std::size_t used = parser_->put(bytes_.data(), error);
            bytes_.consume(used);
            in_vain_ = used == 0 && parser_->is_header_done();
        }
        if (error == http::error::need_more && closed_) {
            error = http::error::end_of_stream;
            if (parser_->got_some())
                parser_->put_eof(error = {});
        }
        if (error == http::error::need_more) {
            if (bytes_.size() == bytes_.max_size())
                return fail("the answer has a line that is too long");
            return false;
        }
        if (error && error != http::error::need_buffer)
            return fail(words_of(error));
        return true;
    }

    std::size_t longest_head_;
    boost::beast::flat_buffer bytes_;
    std::vector<char> body_;
    std::optional<http::response_parser<http::buffer_body>> parser_;
    int announcements_ = 0;
    bool in_vain_ = false;  ///< the last look at the body was: a chunk has only begun
    bool closed_ = false;
    bool broken_ = false;
};

HttpReader::HttpReader(std::size_t longest_head) : impl_(std::make_unique<Impl>(longest_head)) {}

HttpReader::~HttpReader() = default;

void HttpReader::begin() {
    impl_->begin();
}

boost::asio::mutable_buffer HttpReader::room() {
    return impl_->room();
}

void HttpReader::received(std::size_t size) {
    impl_->received(size);
}

void HttpReader::closed() {
    impl_->closed();
}

tl::expected<bool, std::string> HttpReader::head() {
    return impl_->head();
}

unsigned HttpReader::status() const {
    return impl_->fields().result_int();
}

std::string_view HttpReader::field(std::string_view name) const {
    const auto value = impl_->fields()[boost::beast::string_view(name.data(), name.size())];
    return {value.data(), value.size()};
}

tl::expected<std::optional<std::string_view>, std::string> HttpReader::body() {
    return impl_->body();
}

bool HttpReader::reusable() const {
    return impl_->reusable();
}

}  // namespace base
