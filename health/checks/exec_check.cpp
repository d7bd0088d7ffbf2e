#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>

#include "health/checks/checks.hpp"
#include "health/checks/connect.hpp"
#include "health/checks/cri.hpp"
#include "health/checks/grpc_call.hpp"

namespace health {
namespace {

namespace asio = boost::asio;
using asio::local::stream_protocol;
using Clock = std::chrono::steady_clock;
using Stream = boost::beast::basic_stream<stream_protocol>;

constexpr std::size_t longest_list = std::size_t{1024} * 1024;         // of containers with the labels of one
constexpr std::size_t longest_answer = std::size_t{64} * 1024 * 1024;  // a runtime keeps 16 MiB of each output
constexpr std::chrono::seconds for_list{5};
constexpr std::chrono::seconds beyond{5};  // the command's own time: the runtime ends it

/// A call over a connection of its own. A runtime that is not there is unavailable.
asio::awaitable<GrpcStatus> ask_runtime(std::string socket, std::string_view method, std::string message,
                                        GrpcAnswer& answer, Clock::time_point deadline) {
    Stream stream(co_await asio::this_coro::executor);
    stream.expires_at(deadline);
    boost::system::error_code error;
    co_await stream.async_connect(stream_protocol::endpoint(socket), asio::redirect_error(asio::use_awaitable, error));
    if (error)
        co_return GrpcStatus{GrpcCode::unavailable, socket + ": " + words_of(error)};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    co_return co_await call(stream, grpc_request("localhost", cri_path(method), message, left), answer, deadline);
}

Outcome trouble(const std::string& what) {
    return {Answer::error, "container runtime: " + what, {}};
}

asio::awaitable<Outcome> run(ExecCheck check, std::chrono::seconds timeout) {
    std::string list;
    GrpcAnswer containers(longest_list, [&](std::string_view piece) { list += piece; });
    const GrpcStatus listed = co_await ask_runtime(
        check.socket, "ListContainers", list_containers_request(check.labels), containers, Clock::now() + for_list);
    if (listed.code != GrpcCode::ok)
        co_return trouble(to_string(listed));
    const auto container = youngest_container(list);
    if (!container)
        co_return trouble(container.error());
    if (container->empty())
        co_return Outcome{
            Answer::failure, "the container runtime has no running container with the labels of this one", {}};
    ExecSyncReader reader;
    GrpcAnswer done(longest_answer, [&](std::string_view piece) { reader.take(piece); });
    const GrpcStatus status =
        co_await ask_runtime(check.socket, "ExecSync", exec_sync_request(*container, check.command, timeout), done,
                             Clock::now() + timeout + beyond);
    co_return judge_exec(status, reader, timeout);
}

}  // namespace

asio::awaitable<Outcome> check_exec(ExecCheck check, std::chrono::milliseconds timeout) {
    const auto started = Clock::now();
    Outcome outcome = co_await run(std::move(check), std::chrono::ceil<std::chrono::seconds>(timeout));
    outcome.took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - started);
    co_return outcome;
}

}  // namespace health
