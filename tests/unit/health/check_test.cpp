// Attempts against a server on loopback: the bytes that it sees, and what its answers mean.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>
#include <fstream>
#include <optional>
#include <set>

#include "health/checks/checks.hpp"
#include "health/checks/connect.hpp"
#include "tests/support/patience.hpp"
#include "tests/unit/health/h2_frames.hpp"

using namespace health;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

/// Answers each connection with the next of its answers, the last one for ever; "" never answers.
struct Server {
    asio::io_context& context;
    tcp::acceptor acceptor;
    std::vector<std::string> answers;
    std::vector<std::string> requests;

    Server(asio::io_context& given, std::vector<std::string> with)
        : context(given), acceptor(context, {asio::ip::make_address("127.0.0.1"), 0}), answers(std::move(with)) {
        asio::co_spawn(context, accept(), asio::detached);
    }
    std::uint16_t port() const { return acceptor.local_endpoint().port(); }

    asio::awaitable<void> accept() {
        for (;;) {
            boost::system::error_code error;
            auto socket = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
            if (error)
                co_return;
            asio::co_spawn(context, serve(std::move(socket)), asio::detached);
        }
    }
    asio::awaitable<void> serve(tcp::socket socket) {
        boost::system::error_code error;
        std::string buffer;
        co_await asio::async_read_until(socket, asio::dynamic_buffer(buffer), "\r\n\r\n",
                                        asio::redirect_error(asio::use_awaitable, error));
        requests.push_back(std::move(buffer));
        const std::string answer = answers[std::min(requests.size() - 1, answers.size() - 1)];
        if (!answer.empty())
            co_await asio::async_write(socket, asio::buffer(answer), asio::redirect_error(asio::use_awaitable, error));
        char byte = 0;
        while (!error)  // stays until the client goes
            co_await socket.async_read_some(asio::buffer(&byte, 1), asio::redirect_error(asio::use_awaitable, error));
    }
};

Outcome run(asio::io_context& context, Check check, std::chrono::milliseconds timeout = testing::patience(2s)) {
    std::optional<Outcome> outcome;
    asio::co_spawn(context, perform(std::move(check), timeout), [&](const std::exception_ptr& error, Outcome result) {
        if (error)
            std::rethrow_exception(error);
        outcome = std::move(result);
    });
    const auto deadline = std::chrono::steady_clock::now() + testing::patience(10s);
    while (!outcome && std::chrono::steady_clock::now() < deadline)
        context.run_one_for(100ms);
    REQUIRE(outcome);
    return *outcome;
}

HttpCheck to(const Server& server) {
    HttpCheck check;
    check.host = "127.0.0.1";
    check.port = server.port();
    return check;
}

std::string status(int code, const std::string& more = "") {
    return "HTTP/1.1 " + std::to_string(code) + " Words\r\n" + more + "Content-Length: 0\r\n\r\n";
}

/// A port on which nobody listens.
std::uint16_t closed_port(asio::io_context& context) {
    return tcp::acceptor(context, {asio::ip::make_address("127.0.0.1"), 0}).local_endpoint().port();
}

}  // namespace

TEST_CASE("the request is the kubelet's, but for its name") {
    asio::io_context context;
    Server server(context, {status(200)});
    HttpCheck check = to(server);
    check.path = "/healthz?x=1";
    CHECK(run(context, check).answer == Answer::success);
    CHECK(server.requests.at(0) == "GET /healthz?x=1 HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) +
                                       "\r\nUser-Agent: podferry-probe/" PODFERRY_VERSION
                                       "\r\nAccept: */*\r\nConnection: close\r\n\r\n");
}

TEST_CASE("headers of the manifest replace ours, whatever their case; an empty one is not sent; others repeat") {
    asio::io_context context;
    Server server(context, {status(200)});
    HttpCheck check = to(server);
    check.headers = {
        {"host", "shop.example"}, {"user-agent", ""}, {"ACCEPT", "text/plain"}, {"X-A", "1"}, {"X-A", "2"}};
    run(context, check);
    CHECK(
        server.requests.at(0) ==
        "GET / HTTP/1.1\r\nHost: shop.example\r\nACCEPT: text/plain\r\nX-A: 1\r\nX-A: 2\r\nConnection: close\r\n\r\n");
}

TEST_CASE("statuses and what they mean") {
    struct Row {
        std::string answer;
        Answer expected;
        const char* reason;
    };
    const auto row = GENERATE(values<Row>({
        {status(200), Answer::success, ""},
        {status(299), Answer::success, ""},
        {status(304), Answer::warning, "304"},
        {status(302), Answer::warning, "302"},  // without Location
        {status(302, "Location: http://elsewhere.example/\r\n"), Answer::warning, "302"},
        {status(302, "Location: ftp://x\r\n"), Answer::failure, "no URL"},
        {status(302, "Location: /" + std::string(30'000, '\xfe') + "\r\n"), Answer::failure, "more than 8 KiB"},
        {status(400), Answer::failure, "HTTP probe failed with statuscode: 400"},
        {status(503), Answer::failure, "statuscode: 503"},
        {"HTTP/1.1 100 Continue\r\n\r\n" + status(200), Answer::success, ""},
        {"HTTP/1.1 101 Switching\r\n\r\n", Answer::failure, "statuscode: 101"},
        {"nonsense\r\n\r\n", Answer::failure, "read: the answer is no HTTP that can be read"},
        // The status is final once the header is there: a body that stalls changes nothing.
        {"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nabc", Answer::success, ""},
        {"HTTP/1.1 500 No\r\nContent-Length: 100000\r\n\r\nabc", Answer::failure, "statuscode: 500"},
    }));
    CAPTURE(row.answer);
    asio::io_context context;
    Server server(context, {row.answer});
    const Outcome outcome = run(context, to(server));
    CHECK(outcome.answer == row.expected);
    CHECK_THAT(outcome.reason, Catch::Contains(row.reason));
}

TEST_CASE("redirects to the same host are followed, ten requests at most") {
    asio::io_context context;
    Server once(context, {status(302, "Location: /there\r\n"), status(200)});
    CHECK(run(context, to(once)).answer == Answer::success);
    REQUIRE(once.requests.size() == 2);
    CHECK_THAT(once.requests[1], Catch::StartsWith("GET /there HTTP/1.1\r\n") && Catch::Contains("Referer: http://"));
    Server forever(context, {status(302, "Location: /again\r\n")});
    const Outcome outcome = run(context, to(forever));
    CHECK(outcome.answer == Answer::failure);
    CHECK(outcome.reason == "stopped after 10 redirects");
    CHECK(forever.requests.size() == 10);
}

TEST_CASE("a server that accepts and says nothing is a failure after the timeout, for HTTP and TLS") {
    asio::io_context context;
    Server server(context, {""});
    HttpCheck check = to(server);
    check.https = GENERATE(false, true);
    const auto start = std::chrono::steady_clock::now();
    const Outcome outcome = run(context, check, 200ms);
    CHECK(outcome.answer == Answer::failure);
    CHECK_THAT(outcome.reason, Catch::Contains("timeout"));
    CHECK(std::chrono::steady_clock::now() - start < testing::patience(2s));
}

TEST_CASE("TCP: a handshake is enough; refused and unknown names are failures") {
    asio::io_context context;
    Server server(context, {""});
    CHECK(run(context, TcpCheck{"127.0.0.1", server.port()}).answer == Answer::success);
    const Outcome refused = run(context, TcpCheck{"127.0.0.1", closed_port(context)});
    CHECK(refused.answer == Answer::failure);
    CHECK(refused.reason == "connect: Connection refused");
    CHECK(run(context, TcpCheck{"no-such-host.invalid", 80}).answer == Answer::failure);
    // Whichever addresses this machine's hosts file gives it.
    CHECK(run(context, TcpCheck{"localhost", server.port()}).answer == Answer::success);
}

// The preface of HTTP/2 ends as a request of HTTP/1.1 does, so the same server serves it.
TEST_CASE("HTTP/2 in plain text: the status counts, redirects are followed, HTTP/1.1 is none") {
    asio::io_context context;
    const auto [answers, expected, reason] = GENERATE(table<std::vector<std::string>, Answer, std::string>({
        {{h2::hello + h2::head({{":status", "204"}}, h2::end_stream)}, Answer::success, ""},
        {{h2::hello + h2::head({{":status", "200"}})}, Answer::success, ""},
        {{h2::hello + h2::head({{":status", "503"}})}, Answer::failure, "HTTP probe failed with statuscode: 503"},
        {{h2::hello + h2::head({{":status", "302"}, {"location", "/there"}}),
          h2::hello + h2::head({{":status", "200"}})},
         Answer::success,
         ""},
        {{status(200)}, Answer::failure, "this is no HTTP/2"},
        {{""}, Answer::failure, "read: timeout"},
    }));
    Server server(context, answers);
    HttpCheck check = to(server);
    check.h2 = true;
    const Outcome outcome = run(context, check, answers[0].empty() ? 200ms : testing::patience(2s));
    CHECK(outcome.answer == expected);
    CHECK_THAT(outcome.reason, Catch::Contains(reason));
}

TEST_CASE("gRPC: only SERVING is success, all else is a failure") {
    asio::io_context context;
    const auto says = [](const std::string& message, const std::string& code, const std::string& words = "") {
        return h2::grpc_head() + h2::frame(h2::data, 0, 1, h2::message(message)) + h2::trailers(code, words);
    };
    struct Row {
        std::string answer;
        Answer expected;
        std::string reason;
    };
    const auto row = GENERATE_REF(values<Row>({
        {says("\x08\x01", "0"), Answer::success, ""},
        {says("\x08\x02", "0"), Answer::failure, "service unhealthy (responded with \"NOT_SERVING\")"},
        {says("", "5", "unknown service"), Answer::failure, "code = NotFound desc = unknown service"},
        {says("", "12", "nobody"), Answer::failure, "this server does not implement the grpc health protocol"},
        {h2::grpc_head(), Answer::failure, "timeout: health rpc did not complete within 200ms"},
        {status(404), Answer::failure, "this is no HTTP/2"},
        {"", Answer::failure, "timeout: health rpc did not complete within 200ms"},
    }));
    Server server(context, {row.answer});
    const bool hangs = row.reason.starts_with("timeout");
    const Outcome outcome =
        run(context, GrpcCheck{"127.0.0.1", server.port(), "", false}, hangs ? 200ms : testing::patience(2s));
    CHECK(outcome.answer == row.expected);
    CHECK_THAT(outcome.reason, Catch::Contains(row.reason));
    CHECK(outcome.took < testing::patience(2s));
}

TEST_CASE("gRPC: nobody listens, and a server that never shakes hands") {
    asio::io_context context;
    const Outcome refused = run(context, GrpcCheck{"127.0.0.1", closed_port(context), "", GENERATE(false, true)});
    CHECK(refused.answer == Answer::failure);
    CHECK(refused.reason == "connect: Connection refused");
    Server server(context, {""});
    const Outcome silent = run(context, GrpcCheck{"127.0.0.1", server.port(), "", true}, 200ms);
    CHECK(silent.answer == Answer::failure);
    CHECK(silent.reason == "TLS: timeout");
}

TEST_CASE("each address of a name is tried until one answers, in an equal share of the time") {
    asio::io_context context;
    Server server(context, {""});
    const auto loopback = asio::ip::make_address("127.0.0.1");
    const tcp::endpoint good(loopback, server.port());
    const tcp::endpoint refused(loopback, closed_port(context));
    const tcp::endpoint refused6(asio::ip::address_v6::loopback(), refused.port());
    // A listener whose queue is full answers nobody, as an address where packets are lost.
    tcp::acceptor full(context, tcp::v4());
    full.bind({loopback, 0});
    full.listen(0);
    std::vector<tcp::socket> queued;
    for (int i = 0; i < 4; ++i) {
        queued.emplace_back(context, tcp::v4()).native_non_blocking(true);
        ::connect(queued.back().native_handle(), full.local_endpoint().data(),
                  static_cast<socklen_t>(full.local_endpoint().size()));
    }
    const tcp::endpoint silent = full.local_endpoint();
    struct Row {
        std::vector<tcp::endpoint> endpoints;
        const char* problem;
    };
    // No generator: the ports are those of this run.
    for (const Row& row : std::vector<Row>{
             {{good}, ""},
             {{refused, good}, ""},
             {{refused6, good}, ""},
             {{silent, refused, good}, ""},
             {{refused, refused6}, "connect: Connection refused"},
             {{silent, refused}, "connect: timeout"},
         }) {
        CAPTURE(row.endpoints);
        std::optional<std::string> problem;
        boost::beast::tcp_stream stream(context);
        asio::co_spawn(context, connect_any(stream, row.endpoints, std::chrono::steady_clock::now() + 1500ms),
                       [&](const std::exception_ptr&, Connected result) { problem = std::move(result.problem); });
        const auto deadline = std::chrono::steady_clock::now() + 20s;
        while (!problem && std::chrono::steady_clock::now() < deadline)
            context.run_one_for(100ms);
        REQUIRE(problem);
        CHECK(*problem == row.problem);
    }
}

TEST_CASE("a hundred attempts leave no connection in TIME_WAIT") {
    asio::io_context context;
    Server server(context, {status(200)});
    // Both addresses of the connections. There may be some of others, whose client had the port that is our server's
    // now.
    const auto waiting = [&] {
        std::ifstream table("/proc/net/tcp");
        std::string port(8, '\0');
        port.resize(static_cast<std::size_t>(std::snprintf(port.data(), port.size(), ":%04X", server.port())));
        std::set<std::string> found;
        for (std::string line; std::getline(table, line);)
            if (const auto state = line.find(" 06 "); state != std::string::npos && line.find(port) < state)
                found.insert(line.substr(line.find(':') + 1, state - line.find(':') - 1));
        return found;
    };
    const auto before = waiting();
    for (int i = 0; i < 50; ++i) {
        run(context, to(server));
        run(context, TcpCheck{"127.0.0.1", server.port()});
    }
    auto after = waiting();
    std::erase_if(after, [&](const std::string& connection) { return before.contains(connection); });
    CHECK(after == std::set<std::string>());
}
