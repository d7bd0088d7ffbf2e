// gRPC over HTTP/2 (github.com/grpc/grpc, doc/PROTOCOL-HTTP2.md): what one call with one message each way sends, and
// what its answer means. Errors are what grpc-go makes of the same, since that is what the kubelet says. Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "health/h2/exchange.hpp"

namespace health {

/// google.rpc.Code, those that somebody here asks for. A server may send any number.
enum class GrpcCode : std::int32_t {
    ok = 0,
    canceled = 1,
    unknown = 2,
    deadline_exceeded = 4,
    not_found = 5,
    permission_denied = 7,
    resource_exhausted = 8,
    unimplemented = 12,
    internal = 13,
    unavailable = 14,
    unauthenticated = 16,
};

/// "NotFound", as Go writes it; "Code(77)".
std::string name_of(GrpcCode code);

struct GrpcStatus {
    GrpcCode code = GrpcCode::ok;
    std::string message;  ///< for people: the server's own, made printable, or ours
    bool operator==(const GrpcStatus&) const = default;
};

/// "rpc error: code = NotFound desc = unknown service", as Go writes it.
std::string to_string(const GrpcStatus& status);

/// A call of `path` ("/grpc.health.v1.Health/Check"). The server is told the timeout.
H2Request grpc_request(std::string authority, std::string path, std::string_view message,
                       std::chrono::milliseconds timeout);

/// The answer of one call: takes its body apart while it comes, and judges it when it is over.
class GrpcAnswer {
public:
    /// Gets the message in pieces. Must not throw.
    using Take = std::function<void(std::string_view piece)>;
    /// `most`: bytes of a message; a longer one is refused.
    GrpcAnswer(std::size_t most, Take take) : most_(most), take_(std::move(take)) {}

    /// Some of the body (H2Exchange::Body).
    bool body(std::string_view piece);
    /// What the exchange, which is over, amounts to. `timed_out`: its time is up.
    GrpcStatus status(const H2Exchange& exchange, bool timed_out) const;

private:
    bool begin_message();
    bool refuse(GrpcCode code, std::string why);

    std::size_t most_;
    Take take_;
    std::string prefix_;        // of the message, until it is whole
    std::size_t left_ = 0;      // of the message
    std::size_t messages_ = 0;  // that have begun
    std::optional<GrpcStatus> refused_;
};

}  // namespace health
