#include <boost/asio/this_coro.hpp>

#include "base/overloaded.hpp"
#include "health/checks/checks.hpp"
#include "health/checks/connect.hpp"

namespace health {

boost::asio::awaitable<Outcome> check_tcp(TcpCheck check, std::chrono::milliseconds timeout) {
    const auto started = std::chrono::steady_clock::now();
    boost::beast::tcp_stream stream(co_await boost::asio::this_coro::executor);
    Outcome outcome;
    const Connected connected = co_await connect(stream, check.host, check.port, started + timeout);
    outcome.reason = connected.problem;
    outcome.doubt = connected.doubt;
    outcome.answer = outcome.reason.empty() ? Answer::success : Answer::failure;
    abandon(stream);
    outcome.took = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - started);
    co_return outcome;
}

boost::asio::awaitable<Outcome> perform(Check check, std::chrono::milliseconds timeout) {
    return std::visit(base::overloaded{[&](TcpCheck tcp) { return check_tcp(std::move(tcp), timeout); },
                                       [&](HttpCheck http) { return check_http(std::move(http), timeout); },
                                       [&](GrpcCheck grpc) { return check_grpc(std::move(grpc), timeout); },
                                       [&](ExecCheck exec) { return check_exec(std::move(exec), timeout); }},
                      std::move(check));
}

}  // namespace health
