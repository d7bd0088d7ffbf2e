// HTTP/2 as a server writes it, also wrongly (RFC 9113, 4.1 and 6; fields by RFC 7541, 6.2.2).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "health/h2/exchange.hpp"

namespace h2 {

enum Type : std::uint8_t {
    data,
    headers,
    priority,
    rst_stream,
    settings,
    push_promise,
    ping,
    goaway,
    window_update,
    continuation
};
enum Flag : std::uint8_t { none = 0, ack = 1, end_stream = 1, end_headers = 4 };

inline std::string number(std::uint32_t value, int bytes) {
    std::string result;
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
        result += static_cast<char>(value >> static_cast<unsigned>(shift) & 0xffU);
    return result;
}

inline std::string frame(int type, int flags, std::uint32_t stream, std::string_view payload) {
    return number(static_cast<std::uint32_t>(payload.size()), 3) + static_cast<char>(type) + static_cast<char>(flags) +
           number(stream, 4) + std::string(payload);
}

/// Less than 127 bytes each.
inline std::string field(std::string_view name, std::string_view value) {
    std::string result(1, '\0');
    for (const std::string_view text : {name, value})
        result += static_cast<char>(text.size()) + std::string(text);
    return result;
}

using Fields = std::initializer_list<std::pair<std::string_view, std::string_view>>;

inline std::string block(Fields fields) {
    std::string result;
    for (const auto& [name, value] : fields)
        result += field(name, value);
    return result;
}

inline const std::string hello = frame(settings, none, 0, "");

inline std::string head(Fields fields, int more = none) {
    return frame(headers, end_headers | more, 1, block(fields));
}

/// A gRPC message.
inline std::string message(std::string_view bytes) {
    return '\0' + number(static_cast<std::uint32_t>(bytes.size()), 4) + std::string(bytes);
}

inline std::string grpc_head(int more = none) {
    return hello + head({{":status", "200"}, {"content-type", "application/grpc"}}, more);
}

inline std::string trailers(std::string_view status, std::string_view words = "") {
    return head({{"grpc-status", status}, {"grpc-message", words}}, end_stream);
}

/// Hands the exchange what the server sends, in pieces as a connection would.
inline void play(health::H2Exchange& exchange, std::string_view bytes, bool closes = true, std::size_t piece = 16384) {
    exchange.to_send();
    while (!bytes.empty() && !exchange.is_over()) {
        exchange.received(bytes.substr(0, piece));
        bytes.remove_prefix(std::min(piece, bytes.size()));
        exchange.to_send();
    }
    if (closes && !exchange.is_over())
        exchange.closed();
}

inline std::string times(int count, const std::string& text) {
    std::string result;
    for (int i = 0; i < count; ++i)
        result += text;
    return result;
}

}  // namespace h2
