#include "api/cluster/http_answer.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <charconv>
#include <vector>

#include "api/cluster/gunzip.hpp"

namespace api {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Error = boost::system::error_code;

constexpr std::size_t buffer_size = std::size_t{16} * 1024;  // what a TLS record holds: more does not come at once
constexpr std::uint32_t longest_header = 16 * 1024;
constexpr int most_announcements = 5;  // as Go's client (net/http, max1xxResponses)
/// "0", CRLF, CRLF. Beast asserts so many bytes when it looks at a last chunk again (1.81, parse_chunk_header): whose
/// first three come alone, and then one, would end the process.
constexpr std::size_t shortest_chunk = 5;

using Parser = http::response_parser<http::buffer_body>;

std::optional<std::chrono::seconds> retry_after(const Parser& parser) {
    const auto text = parser.get()[http::field::retry_after];
    long seconds = 0;  // the other form, a date, is not used by API servers
    if (text.empty() || std::from_chars(text.data(), text.data() + text.size(), seconds).ec != std::errc())
        return std::nullopt;
    return std::chrono::seconds(std::clamp(seconds, 0L, 3600L));
}

bool announces(const Parser& parser) {
    const unsigned status = parser.get().result_int();
    return status >= 100 && status < 200 && status != 101;  // after 101 no HTTP follows
}

}  // namespace

std::string words_of(const Error& error) {
    if (error == boost::beast::error::timeout)
        return "no answer in time";
    if (error == http::error::end_of_stream || error == http::error::partial_message || error == asio::error::eof ||
        error == asio::ssl::error::stream_truncated)
        return "closed by the server";
    if (error.category() == http::make_error_code(http::error::end_of_stream).category())
        return "the answer is no HTTP that can be read (" + error.message() + ")";
    return error.message();
}

class HttpAnswer::Impl {
public:
    void begin() {
        restart();
        announcements_ = 0;
    }

    asio::mutable_buffer room() { return bytes_.prepare(bytes_.max_size() - bytes_.size()); }
    void received(std::size_t size) { bytes_.commit(size); }
    void closed() { closed_ = true; }
    void give_up() { broken_ = true; }

    tl::expected<std::optional<HttpHead>, std::string> head() {
        for (;;) {
            while (!parser_->is_header_done())
                if (const auto more = parse(); !more || !*more)
                    return more.map([](bool) { return std::optional<HttpHead>(); });
            if (!announces(*parser_))
                break;
            if (++announcements_ > most_announcements)
                return tl::unexpected(std::string("the answer is only announced, again and again"));
            restart();
        }
        if (parser_->get()[http::field::content_encoding] == "gzip")
            gunzip_.emplace();
        return HttpHead{parser_->get().result_int(), retry_after(*parser_)};
    }

    tl::expected<std::optional<std::string_view>, std::string> text() {
        for (;;) {
            if (!gunzip_ || gunzip_->complete())  // then the end of the body follows
                return as_sent();
            auto unpacked = gunzip_->next(unpacked_);
            if (!unpacked || !unpacked->empty())
                return std::move(unpacked).map([](std::string_view text) { return std::optional(text); });
            if (gunzip_->complete())  // of its last bytes, a checksum, there is no text
                continue;
            const auto packed = as_sent();
            if (!packed || !*packed)
                return packed;
            if ((*packed)->empty())
                return tl::unexpected(std::string("closed by the server"));  // in the middle of the text
            gunzip_->feed(**packed);
        }
    }

    bool reusable() const {
        return parser_ && parser_->is_done() && parser_->keep_alive() && bytes_.size() == 0 && !closed_ && !broken_;
    }

private:
    void restart() {
        gunzip_.reset();
        parser_.emplace();
        in_vain_ = false;
        parser_->body_limit(boost::none);  // a watch has no end; what of it is kept, its readers limit
        parser_->header_limit(longest_header);
    }

    /// Takes a step; false: more bytes are needed.
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
                return tl::unexpected(std::string("the answer has a line that is too long"));
            return false;
        }
        if (error && error != http::error::need_buffer)
            return tl::unexpected(words_of(error));
        return true;
    }

    /// Some of the body as it was sent.
    tl::expected<std::optional<std::string_view>, std::string> as_sent() {
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

    boost::beast::flat_buffer bytes_{buffer_size};
    std::array<char, buffer_size> body_{};
    std::optional<Gunzip> gunzip_;
    std::vector<char> unpacked_ = std::vector<char>(buffer_size);
    std::optional<Parser> parser_;
    int announcements_ = 0;
    bool in_vain_ = false;  ///< the last look at the body was: a chunk has only begun
    bool closed_ = false;
    bool broken_ = false;
};

HttpAnswer::HttpAnswer() : impl_(std::make_unique<Impl>()) {}

HttpAnswer::~HttpAnswer() = default;

void HttpAnswer::begin() {
    impl_->begin();
}

asio::mutable_buffer HttpAnswer::room() {
    return impl_->room();
}

void HttpAnswer::received(std::size_t size) {
    impl_->received(size);
}

void HttpAnswer::closed() {
    impl_->closed();
}

tl::expected<std::optional<HttpHead>, std::string> HttpAnswer::head() {
    auto head = impl_->head();
    if (!head)
        impl_->give_up();
    return head;
}

tl::expected<std::optional<std::string_view>, std::string> HttpAnswer::text() {
    auto text = impl_->text();
    if (!text)
        impl_->give_up();
    return text;
}

bool HttpAnswer::reusable() const {
    return impl_->reusable();
}

}  // namespace api
