#include <boost/asio/this_coro.hpp>

#include "health/checks/checks.hpp"
#include "health/checks/connect.hpp"
#include "health/checks/grpc_call.hpp"
#include "health/checks/grpc_health.hpp"
#include "health/checks/http_target.hpp"
#include "health/checks/tls.hpp"

namespace health {
namespace {

namespace asio = boost::asio;
using Deadline = std::chrono::steady_clock::time_point;

constexpr std::size_t longest_answer = std::size_t{64} * 1024;  // of two bytes, as a rule

template <class Stream>
asio::awaitable<Outcome> ask(Stream& stream, const GrpcCheck& check, std::chrono::milliseconds timeout,
                             Deadline deadline) {
    H2Request request = grpc_request(host_text(check.host, std::to_string(check.port)), "/grpc.health.v1.Health/Check",
                                     health_request(check.service), timeout);
    request.scheme = check.tls ? "https" : "http";
    std::string message;
    GrpcAnswer answer(longest_answer, [&](std::string_view piece) { message += piece; });
    const GrpcStatus status = co_await call(stream, std::move(request), answer, deadline);
    co_return judge_health(status, message, timeout);
}

Outcome failed(std::string reason, Doubt doubt = Doubt::none) {
    return {Answer::failure, std::move(reason), {}, doubt};
}

asio::awaitable<Outcome> ask_plainly(const GrpcCheck& check, std::chrono::milliseconds timeout, Deadline deadline) {
    boost::beast::tcp_stream stream(co_await asio::this_coro::executor);
    const Connected connected = co_await connect(stream, check.host, check.port, deadline);
    Outcome outcome = failed(connected.problem, connected.doubt);
    if (connected.problem.empty())
        outcome = co_await ask(stream, check, timeout, deadline);
    abandon(stream);
    co_return outcome;
}

asio::awaitable<Outcome> ask_by_tls(const GrpcCheck& check, std::chrono::milliseconds timeout, Deadline deadline) {
    TlsStream stream = make_tls(co_await asio::this_coro::executor);
    const Connected connected = co_await connect(stream.next_layer(), check.host, check.port, deadline);
    std::string problem = connected.problem;
    if (problem.empty())
        problem = co_await shake_hands(stream, check.host, Offer::h2);
    if (problem.empty() && !speaks_h2(stream))
        problem = "TLS: the server does not choose HTTP/2";
    Outcome outcome = failed(problem, connected.doubt);
    if (problem.empty())
        outcome = co_await ask(stream, check, timeout, deadline);
    abandon(stream.next_layer());
    co_return outcome;
}

}  // namespace

/// The deadline covers the connection and the call, as the kubelet's does.
asio::awaitable<Outcome> check_grpc(GrpcCheck check, std::chrono::milliseconds timeout) {
    const auto started = std::chrono::steady_clock::now();
    const auto deadline = started + timeout;
    Outcome outcome =
        check.tls ? co_await ask_by_tls(check, timeout, deadline) : co_await ask_plainly(check, timeout, deadline);
    outcome.took = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - started);
    co_return outcome;
}

}  // namespace health
