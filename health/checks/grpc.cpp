#include "health/checks/grpc.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/numbers.hpp"
#include "base/plain_text.hpp"

namespace health {
namespace {

constexpr std::size_t prefix_size = 5;      // of a message: a flag, and its length in four bytes
constexpr std::size_t longest_words = 300;  // of a server's own
constexpr std::array names = {
    "OK",       "Canceled",       "Unknown",          "InvalidArgument",   "DeadlineExceeded",
    "NotFound", "AlreadyExists",  "PermissionDenied", "ResourceExhausted", "FailedPrecondition",
    "Aborted",  "OutOfRange",     "Unimplemented",    "Internal",          "Unavailable",
    "DataLoss", "Unauthenticated"};

/// "1500m", at most eight digits, and more than nothing.
std::string timeout_text(std::chrono::milliseconds timeout) {
    constexpr std::int64_t most = 99'999'999;
    if (timeout.count() <= most)
        return std::to_string(std::max<std::int64_t>(timeout.count(), 1)) + "m";
    return std::to_string(std::min<std::int64_t>(std::chrono::ceil<std::chrono::seconds>(timeout).count(), most)) + "S";
}

bool is_grpc(std::string_view content_type) {
    constexpr std::string_view expected = "application/grpc";
    if (!content_type.starts_with(expected))
        return false;
    content_type.remove_prefix(expected.size());
    return content_type.empty() || content_type[0] == '+' || content_type[0] == ';';
}

/// grpc-go's HTTPStatusConvTab (internal/transport/http_util.go).
GrpcCode code_of_http(unsigned status) {
    switch (status) {
        case 400:
            return GrpcCode::internal;
        case 401:
            return GrpcCode::unauthenticated;
        case 403:
            return GrpcCode::permission_denied;
        case 404:
            return GrpcCode::unimplemented;
        case 429:
        case 502:
        case 503:
        case 504:
            return GrpcCode::unavailable;
        default:
            return GrpcCode::unknown;
    }
}

/// grpc-go's http2ErrConvTab, of the same file.
GrpcCode code_of_reset(std::uint32_t reset) {
    switch (reset) {
        case 0x7:  // REFUSED_STREAM
            return GrpcCode::unavailable;
        case 0x8:  // CANCEL
            return GrpcCode::canceled;
        case 0x3:  // FLOW_CONTROL_ERROR
        case 0xb:  // ENHANCE_YOUR_CALM
            return GrpcCode::resource_exhausted;
        case 0xc:  // INADEQUATE_SECURITY
            return GrpcCode::permission_denied;
        default:
            return GrpcCode::internal;
    }
}

/// grpc-message is percent-encoded; what is no escape stays.
std::string decoded(std::string_view text) {
    std::string result;
    for (std::size_t at = 0; at < text.size(); ++at) {
        unsigned byte = 0;
        const char* digits = text.data() + at + 1;
        if (text[at] == '%' && at + 2 < text.size() &&
            std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
            result += static_cast<char>(byte);
            at += 2;
        } else {
            result += text[at];
        }
    }
    return result;
}

}  // namespace

std::string name_of(GrpcCode code) {
    const auto number = static_cast<std::int32_t>(code);
    if (number >= 0 && number < static_cast<std::int32_t>(names.size()))
        return names[static_cast<std::size_t>(number)];
    return "Code(" + std::to_string(number) + ")";
}

std::string to_string(const GrpcStatus& status) {
    return "rpc error: code = " + name_of(status.code) + " desc = " + status.message;
}

H2Request grpc_request(std::string authority, std::string path, std::string_view message,
                       std::chrono::milliseconds timeout) {
    H2Request request{"POST", "http", std::move(authority), std::move(path), {}, {}};
    request.fields = {{"content-type", "application/grpc"},
                      {"user-agent", "podferry-probe/" PODFERRY_VERSION},
                      {"te", "trailers"},
                      {"grpc-timeout", timeout_text(timeout)}};
    request.body += '\0';  // not compressed
    for (const unsigned shift : {24U, 16U, 8U, 0U})
        request.body += static_cast<char>(message.size() >> shift & 0xffU);
    request.body += message;
    return request;
}

bool GrpcAnswer::refuse(GrpcCode code, std::string why) {
    refused_ = GrpcStatus{code, std::move(why)};
    return false;
}

bool GrpcAnswer::begin_message() {
    if (prefix_[0] != 0)
        return refuse(GrpcCode::internal, "the answer is packed, though nothing packed was asked for");
    for (std::size_t i = 1; i < prefix_size; ++i)
        left_ = left_ << 8U | static_cast<unsigned char>(prefix_[i]);
    prefix_.clear();
    if (left_ > most_)
        return refuse(GrpcCode::resource_exhausted, "received message larger than max (" + std::to_string(left_) +
                                                        " vs. " + std::to_string(most_) + ")");
    if (++messages_ > 1)
        return refuse(GrpcCode::internal, "several answers to one question");
    return true;
}

bool GrpcAnswer::body(std::string_view piece) {
    while (!piece.empty()) {
        if (left_ > 0) {
            const auto part = piece.substr(0, left_);
            take_(part);
            left_ -= part.size();
            piece.remove_prefix(part.size());
            continue;
        }
        const auto part = piece.substr(0, prefix_size - prefix_.size());
        prefix_ += part;
        piece.remove_prefix(part.size());
        if (prefix_.size() == prefix_size && !begin_message())
            return false;
    }
    return true;
}

GrpcStatus GrpcAnswer::status(const H2Exchange& exchange, bool timed_out) const {
    if (refused_)
        return *refused_;
    if (!exchange.problem().empty()) {
        if (exchange.reset())
            return {code_of_reset(*exchange.reset()), exchange.problem()};
        return {timed_out ? GrpcCode::deadline_exceeded : GrpcCode::unavailable, exchange.problem()};
    }
    const std::string type = base::quoted(base::printable(exchange.field("content-type")));
    const bool right_type = is_grpc(exchange.field("content-type"));
    if (exchange.status() != 200)
        return {code_of_http(exchange.status()),
                "unexpected HTTP status code received from server: " + std::to_string(exchange.status()) +
                    (right_type ? "" : "; transport: received unexpected content-type " + type)};
    if (!right_type)
        return {GrpcCode::unknown, "transport: received unexpected content-type " + type};
    const std::string_view said = exchange.trailer("grpc-status");
    if (said.empty())
        return {GrpcCode::internal, "server closed the stream without sending trailers"};
    const auto code = base::parse_number<std::int32_t>(said);
    if (!code)
        return {GrpcCode::internal, "malformed grpc-status: " + base::quoted(base::printable(said))};
    if (*code != 0)
        return {GrpcCode{*code},
                base::printable(base::shortened(decoded(exchange.trailer("grpc-message")), longest_words))};
    if (messages_ != 1 || left_ > 0 || !prefix_.empty())
        return {GrpcCode::internal, "the answer has no whole message"};
    return {};
}

}  // namespace health
