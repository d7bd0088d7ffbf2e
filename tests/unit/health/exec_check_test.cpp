// Commands in containers, by a runtime that answers over its socket.
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>
#include <optional>

#include "health/checks/checks.hpp"
#include "tests/support/patience.hpp"
#include "tests/unit/health/h2_frames.hpp"

using namespace health;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::local::stream_protocol;

namespace {

std::string says(const std::string& message) {
    return h2::grpc_head() + h2::frame(h2::data, 0, 1, h2::message(message)) + h2::trailers("0");
}

std::string refuses(const std::string& code, const std::string& words) {
    return h2::hello + h2::head({{":status", "200"},
                                 {"content-type", "application/grpc"},
                                 {"grpc-status", code},
                                 {"grpc-message", words}},
                                h2::end_stream);
}

const std::string one_container =
    "\x0a\x04\x0a\x02"
    "c1";

/// Answers one connection after the other, each with the next of its answers.
struct Runtime {
    asio::io_context& context;
    std::string path = "/tmp/podferry-cri-" + std::to_string(::getpid()) + ".sock";
    std::vector<std::string> answers;
    std::size_t asked = 0;
    std::optional<stream_protocol::acceptor> acceptor;

    Runtime(asio::io_context& given, std::vector<std::string> with) : context(given), answers(std::move(with)) {
        ::unlink(path.c_str());
        acceptor.emplace(context, stream_protocol::endpoint(path));
        asio::co_spawn(context, serve(), asio::detached);
    }
    ~Runtime() { ::unlink(path.c_str()); }

    asio::awaitable<void> serve() {
        for (const std::string& answer : answers) {
            boost::system::error_code error;
            auto socket = co_await acceptor->async_accept(asio::redirect_error(asio::use_awaitable, error));
            if (error)
                co_return;
            ++asked;
            std::string room(4096, '\0');
            co_await socket.async_read_some(asio::buffer(room), asio::redirect_error(asio::use_awaitable, error));
            co_await asio::async_write(socket, asio::buffer(answer), asio::redirect_error(asio::use_awaitable, error));
            while (!error)  // until the client goes
                co_await socket.async_read_some(asio::buffer(room), asio::redirect_error(asio::use_awaitable, error));
        }
    }
    ExecCheck check() const { return {path, {{"io.kubernetes.pod.uid", "u1"}}, {"true"}}; }
};

Outcome run(asio::io_context& context, Check check) {
    std::optional<Outcome> outcome;
    asio::co_spawn(context, perform(std::move(check), 1s),
                   [&](const std::exception_ptr&, Outcome result) { outcome = std::move(result); });
    const auto deadline = std::chrono::steady_clock::now() + testing::patience(15s);
    while (!outcome && std::chrono::steady_clock::now() < deadline)
        context.run_one_for(100ms);
    REQUIRE(outcome);
    return *outcome;
}

}  // namespace

TEST_CASE("a command: the container is looked up, and the command run in it") {
    struct Row {
        const char* what;
        std::vector<std::string> answers;
        Answer answer;
        const char* reason;
    };
    const auto row = GENERATE_REF(values<Row>({
        {"success", {says(one_container), says("")}, Answer::success, ""},
        {"failure",
         {says(one_container), says("\x12\x03"
                                    "bad"
                                    "\x18\x02")},
         Answer::failure,
         "command exited with 2: bad"},
        {"too long",
         {says(one_container), refuses("4", "context deadline exceeded")},
         Answer::failure,
         "command timed out after 1s"},
        {"gone meanwhile", {says(one_container), refuses("5", "not found")}, Answer::error, "NotFound"},
        {"no such container", {says("")}, Answer::failure, "no running container"},
        {"a runtime without CRI v1", {refuses("12", "unknown service")}, Answer::error, "Unimplemented"},
        {"a runtime that goes",
         {h2::hello + h2::frame(h2::goaway, 0, 0, std::string(8, '\0'))},
         Answer::error,
         "Unavailable"},
        {"what is no runtime", {"HTTP/1.1 400 Bad Request\r\n\r\n"}, Answer::error, "this is no HTTP/2"},
    }));
    CAPTURE(row.what);
    asio::io_context context;
    Runtime runtime(context, row.answers);
    const Outcome outcome = run(context, runtime.check());
    CHECK(outcome.answer == row.answer);
    CHECK_THAT(outcome.reason, Catch::Contains(row.reason));
    CHECK(runtime.asked == row.answers.size());
}

TEST_CASE("a runtime that hangs: the list says nothing about the container, a command that never ends does") {
    asio::io_context context;
    Runtime silent(context, {""});
    const Outcome list = run(context, silent.check());
    CHECK(list.answer == Answer::error);
    CHECK_THAT(list.reason, Catch::Contains("DeadlineExceeded"));
    CHECK(list.took < testing::patience(8s));
    Runtime stuck(context, {says(one_container), ""});
    CHECK(run(context, stuck.check()).reason == "command timed out after 1s");
}

TEST_CASE("no runtime at all is no word about the container") {
    asio::io_context context;
    const Outcome outcome = run(context, ExecCheck{"/nonexistent/containerd.sock", {}, {"true"}});
    CHECK(outcome.answer == Answer::error);
    CHECK_THAT(outcome.reason, Catch::Contains("/nonexistent/containerd.sock: No such file or directory"));
}
