#include "health/checks/http_head.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

namespace health {
namespace {

namespace http = boost::beast::http;

constexpr std::uint32_t max_header = 64 * 1024;
constexpr int max_announcements = 5;

}  // namespace

class HttpHeadReader::Impl {
public:
    Impl() { restart(); }

    boost::asio::mutable_buffer room() {
        return bytes_.prepare(std::min<std::size_t>(bytes_.max_size() - bytes_.size(), 4096));
    }
    void received(std::size_t size) { bytes_.commit(size); }
    void closed() { closed_ = true; }

    tl::expected<std::optional<HttpHead>, std::string> read() {
        for (;;) {
            if (const auto whole = parse(); !whole || !*whole)
                return whole.map([](bool) { return std::optional<HttpHead>(); });
            const unsigned status = parser_->get().result_int();
            if (status >= 200 || status == 101)
                return HttpHead{status, std::string(parser_->get()[http::field::location])};
            if (++announcements_ > max_announcements)
                return tl::unexpected(std::string("read: too many answers that only announce another (1xx)"));
            restart();
        }
    }

private:
    void restart() {
        parser_.emplace();
        parser_->header_limit(max_header);
        parser_->skip(true);
    }

    /// Whether the head is whole.
    tl::expected<bool, std::string> parse() {
        while (!parser_->is_header_done()) {
            boost::system::error_code error = http::error::need_more;
            if (bytes_.size() > 0)
                bytes_.consume(parser_->put(bytes_.data(), error));
            if (error == http::error::need_more && closed_)
                error = parser_->got_some() ? http::error::partial_message : http::error::end_of_stream;
            if (error == http::error::need_more && bytes_.size() == bytes_.max_size())
                error = http::error::header_limit;
            if (error == http::error::need_more)
                return false;
            if (error)
                return tl::unexpected("read: no HTTP answer (" + error.message() + ")");
        }
        return true;
    }

    boost::beast::flat_buffer bytes_{max_header};
    std::optional<http::response_parser<http::empty_body>> parser_;
    int announcements_ = 0;
    bool closed_ = false;
};

HttpHeadReader::HttpHeadReader() : impl_(std::make_unique<Impl>()) {}

HttpHeadReader::~HttpHeadReader() = default;

boost::asio::mutable_buffer HttpHeadReader::room() {
    return impl_->room();
}

void HttpHeadReader::received(std::size_t size) {
    impl_->received(size);
}

void HttpHeadReader::closed() {
    impl_->closed();
}

tl::expected<std::optional<HttpHead>, std::string> HttpHeadReader::read() {
    return impl_->read();
}

}  // namespace health
