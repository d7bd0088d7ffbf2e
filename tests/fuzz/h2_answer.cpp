// Whatever a server answers over HTTP/2, and however it is cut: no crash, an end, and the same in pieces as in one.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "health/checks/grpc.hpp"
#include "health/checks/grpc_health.hpp"

namespace {

/// What of an answer must not depend on how it is cut. (Why there is none may: a flood is noticed by what is
/// unanswered.)
std::string answer_of(std::string_view bytes, std::size_t piece) {
    std::string message;
    health::GrpcAnswer answer(1000, [&](std::string_view part) { message += part; });
    health::H2Exchange exchange(
        health::grpc_request("pod:1", "/grpc.health.v1.Health/Check", "", std::chrono::seconds(1)),
        health::H2Exchange::Until::end, {}, [&](std::string_view part) { return answer.body(part); });
    exchange.to_send();
    while (!bytes.empty() && !exchange.is_over()) {
        exchange.received(bytes.substr(0, piece));
        bytes.remove_prefix(std::min(piece, bytes.size()));
        exchange.to_send();
    }
    exchange.closed();
    if (!exchange.is_over()) {
        std::fputs("closed, and not over\n", stderr);
        std::abort();
    }
    if (!exchange.problem().empty())
        return "none";
    const health::GrpcStatus status = answer.status(exchange, false);
    return std::to_string(exchange.status()) + " " + to_string(status) + " " +
           health::judge_health(status, message, std::chrono::seconds(1)).reason;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const std::string whole = answer_of(bytes, size + 1);
    if (size > 2000)
        return 0;
    for (const std::size_t piece : {std::size_t{1}, size / 2 + 1})
        if (const std::string other = answer_of(bytes, piece); other != whole && whole != "none" && other != "none") {
            std::fprintf(stderr, "what is read depends on how it is cut: '%s' and '%s'\n", whole.c_str(),
                         other.c_str());
            std::abort();
        }
    return 0;
}
