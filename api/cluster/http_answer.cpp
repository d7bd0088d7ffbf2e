#include "api/cluster/http_answer.hpp"

#include <algorithm>
#include <charconv>

namespace api {
namespace {

constexpr std::size_t unpacked_piece = std::size_t{16} * 1024;

std::optional<std::chrono::seconds> retry_after(std::string_view text) {
    long seconds = 0;  // the other form, a date, is not used by API servers
    if (text.empty() || std::from_chars(text.data(), text.data() + text.size(), seconds).ec != std::errc())
        return std::nullopt;
    return std::chrono::seconds(std::clamp(seconds, 0L, 3600L));
}

}  // namespace

void HttpAnswer::begin() {
    reader_.begin();
    gunzip_.reset();
}

tl::expected<std::optional<HttpHead>, std::string> HttpAnswer::head() {
    const auto whole = reader_.head();
    if (!whole || !*whole)
        return whole.map([](bool) { return std::optional<HttpHead>(); });
    if (reader_.field("Content-Encoding") == "gzip")
        gunzip_.emplace();
    return HttpHead{reader_.status(), retry_after(reader_.field("Retry-After"))};
}

tl::expected<std::optional<std::string_view>, std::string> HttpAnswer::text() {
    if (!gunzip_)
        return reader_.body();
    auto text = unpacked_text();
    damaged_ = !text;
    return text;
}

tl::expected<std::optional<std::string_view>, std::string> HttpAnswer::unpacked_text() {
    unpacked_.resize(unpacked_piece);
    while (!gunzip_->complete()) {
        auto unpacked = gunzip_->next(unpacked_);
        if (!unpacked || !unpacked->empty())
            return std::move(unpacked).map([](std::string_view text) { return std::optional(text); });
        if (gunzip_->complete())  // of its last bytes, a checksum, there is no text
            break;
        const auto packed = reader_.body();
        if (!packed || !*packed)
            return packed;
        if ((*packed)->empty())
            return tl::unexpected(std::string("closed by the server"));  // in the middle of the text
        gunzip_->feed(**packed);
    }
    return reader_.body();  // its end follows
}

}  // namespace api
