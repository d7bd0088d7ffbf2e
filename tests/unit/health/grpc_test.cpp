// gRPC: what is sent, and what servers' answers amount to.
#include <catch2/catch.hpp>
#include <protozero/pbf_writer.hpp>

#include "health/checks/grpc.hpp"
#include "health/checks/grpc_health.hpp"
#include "tests/unit/health/h2_frames.hpp"

using namespace health;
using namespace h2;
using namespace std::chrono_literals;

namespace {

/// A call and its answer.
struct Call {
    std::string message;
    GrpcStatus status;
};

Call answered(const std::string& bytes, std::size_t piece = 16384, bool timed_out = false) {
    Call call;
    GrpcAnswer answer(1000, [&](std::string_view part) { call.message += part; });
    H2Exchange exchange(grpc_request("pod:1", "/grpc.health.v1.Health/Check", "", 1s), H2Exchange::Until::end, {},
                        [&](std::string_view part) { return answer.body(part); });
    play(exchange, bytes, true, piece);
    call.status = answer.status(exchange, timed_out);
    return call;
}

std::string body(std::string_view bytes, int flags = none) {
    return frame(data, flags, 1, bytes);
}

const std::string serving = message("\x08\x01");

}  // namespace

TEST_CASE("a call is what the gRPC protocol says") {
    const H2Request request = grpc_request("10.1.0.11:9000", "/grpc.health.v1.Health/Check", health_request("abc"), 1s);
    CHECK(request.method == "POST");
    CHECK(request.scheme == "http");
    CHECK(request.authority == "10.1.0.11:9000");
    CHECK(request.fields ==
          std::vector<std::pair<std::string, std::string>>{{"content-type", "application/grpc"},
                                                           {"user-agent", "podferry-probe/" PODFERRY_VERSION},
                                                           {"te", "trailers"},
                                                           {"grpc-timeout", "1000m"}});
    CHECK(request.body == std::string("\0\0\0\0\x05\x0a\x03"
                                      "abc",
                                      10));
    CHECK(grpc_request("", "", health_request(""), 1s).body == std::string(5, '\0'));
}

TEST_CASE("a timeout has eight digits at most") {
    const auto [timeout, text] =
        GENERATE(table<std::chrono::milliseconds, std::string>({{-5ms, "1m"},
                                                                {1ms, "1m"},
                                                                {99'999'999ms, "99999999m"},
                                                                {100'000'000ms, "100000S"},
                                                                {std::chrono::seconds(2147483647), "99999999S"}}));
    CHECK(grpc_request("", "", "", timeout).fields.back().second == text);
}

TEST_CASE("what a server answers becomes a status, as in grpc-go") {
    struct Row {
        const char* what;
        std::string sent;
        GrpcCode code;
        const char* message;
    };
    const auto row = GENERATE_REF(values<Row>({
        {"an answer", grpc_head() + body(serving) + trailers("0"), GrpcCode::ok, ""},
        {"a message of nothing", grpc_head() + body(message("")) + trailers("0"), GrpcCode::ok, ""},
        {"a suffix of the type",
         hello + head({{":status", "200"}, {"content-type", "application/grpc+proto"}}) + body(serving) + trailers("0"),
         GrpcCode::ok, ""},
        {"trailers only",
         hello + head({{":status", "200"},
                       {"content-type", "application/grpc"},
                       {"grpc-status", "5"},
                       {"grpc-message", "unknown%20service%0a\xff"}},
                      end_stream),
         GrpcCode::not_found, "unknown service\\n\\xff"},
        {"a code that nobody knows", grpc_head() + trailers("77", "100% odd%2"), GrpcCode{77}, "100% odd%2"},
        {"long words", grpc_head() + times(1, trailers("2", std::string(120, 'x'))), GrpcCode::unknown, "xxxx"},

        {"no trailers", grpc_head() + body(serving, end_stream), GrpcCode::internal, "without sending trailers"},
        {"trailers without a status", grpc_head() + body(serving) + head({{"x", "y"}}, end_stream), GrpcCode::internal,
         "without sending trailers"},
        {"a status that is no number", grpc_head() + body(serving) + trailers("0x0"), GrpcCode::internal,
         "malformed grpc-status: '0x0'"},
        {"OK without a message", grpc_head() + trailers("0"), GrpcCode::internal, "no whole message"},
        {"half a message", grpc_head() + body(serving.substr(0, 6)) + trailers("0"), GrpcCode::internal,
         "no whole message"},
        {"half a prefix", grpc_head() + body(serving.substr(0, 3)) + trailers("0"), GrpcCode::internal,
         "no whole message"},
        {"two messages", grpc_head() + body(serving + serving) + trailers("0"), GrpcCode::internal, "several answers"},
        {"a packed message", grpc_head() + body('\1' + serving.substr(1)) + trailers("0"), GrpcCode::internal,
         "packed"},
        {"a message that is too long", grpc_head() + body(message(std::string(1001, 'x'))) + trailers("0"),
         GrpcCode::resource_exhausted, "larger than max (1001 vs. 1000)"},
        {"a message that is said to be 4 GiB", grpc_head() + body(std::string("\0\xff\xff\xff\xff", 5)),
         GrpcCode::resource_exhausted, "4294967295"},

        {"a page", hello + head({{":status", "200"}, {"content-type", "text/html"}}, end_stream), GrpcCode::unknown,
         "unexpected content-type 'text/html'"},
        {"no type", hello + head({{":status", "200"}}, end_stream), GrpcCode::unknown, "content-type ''"},
        {"a type that only begins so",
         hello + head({{":status", "200"}, {"content-type", "application/grpcx"}}, end_stream), GrpcCode::unknown,
         "content-type"},
        {"404", hello + head({{":status", "404"}}, end_stream), GrpcCode::unimplemented,
         "unexpected HTTP status code received from server: 404"},
        {"503", hello + head({{":status", "503"}}, end_stream), GrpcCode::unavailable, "503"},
        {"418", hello + head({{":status", "418"}}, end_stream), GrpcCode::unknown, "418"},
        {"500 with a status of gRPC",
         hello + head({{":status", "500"}, {"content-type", "application/grpc"}, {"grpc-status", "0"}}, end_stream),
         GrpcCode::unknown, "500"},

        {"REFUSED_STREAM", hello + frame(rst_stream, none, 1, number(7, 4)), GrpcCode::unavailable, "REFUSED_STREAM"},
        {"CANCEL after the head", grpc_head() + frame(rst_stream, none, 1, number(8, 4)), GrpcCode::canceled, "CANCEL"},
        {"INTERNAL_ERROR", hello + frame(rst_stream, none, 1, number(2, 4)), GrpcCode::internal, "INTERNAL_ERROR"},
        {"ENHANCE_YOUR_CALM", hello + frame(rst_stream, none, 1, number(11, 4)), GrpcCode::resource_exhausted, ""},
        {"GOAWAY", hello + frame(goaway, none, 0, number(0, 4) + number(0, 4)), GrpcCode::unavailable, "NO_ERROR"},
        {"the end after the head", grpc_head(), GrpcCode::unavailable, "closed by the server"},
        {"HTTP/1.1", "HTTP/1.1 400 Bad Request\r\n\r\n", GrpcCode::unavailable, "this is no HTTP/2"},
    }));
    CAPTURE(row.what);
    const Call call = answered(row.sent, GENERATE(1U, 16384U));
    CHECK(name_of(call.status.code) == name_of(row.code));
    CHECK_THAT(call.status.message, Catch::Contains(row.message));
    if (row.what == std::string("an answer"))
        CHECK(call.message == "\x08\x01");
}

TEST_CASE("what ends with our own time is a deadline") {
    CHECK(answered(hello, 16384, true).status.code == GrpcCode::deadline_exceeded);
    CHECK(answered(grpc_head() + trailers("5"), 16384, true).status.code == GrpcCode::not_found);
}

TEST_CASE("health answers, as the kubelet's prober judges them") {
    struct Row {
        GrpcStatus status;
        std::string message;
        Answer answer;
        const char* reason;
    };
    const auto row = GENERATE(values<Row>({
        {{}, std::string("\x08\x01"), Answer::success, ""},
        {{}, "", Answer::failure, R"(service unhealthy (responded with "UNKNOWN"))"},
        {{}, std::string("\x08\0", 2), Answer::failure, R"(service unhealthy (responded with "UNKNOWN"))"},
        {{}, "\x08\x02", Answer::failure, R"(service unhealthy (responded with "NOT_SERVING"))"},
        {{}, "\x08\x03", Answer::failure, R"(service unhealthy (responded with "SERVICE_UNKNOWN"))"},
        {{}, "\x08\x63", Answer::failure, R"(service unhealthy (responded with "99"))"},
        {{}, "\x12\x01z\x08\x01", Answer::success, ""},  // a field that nobody knows
        {{}, "\x08\x02\x08\x01", Answer::success, ""},   // the last one counts
        {{}, "\x08", Answer::failure, "failed to unmarshal"},
        {{}, "\x0a\x7f", Answer::failure, "failed to unmarshal"},
        {{GrpcCode::not_found, "unknown service"},
         "",
         Answer::failure,
         "error: health rpc probe failed: rpc error: code = NotFound desc = unknown service"},
        {{GrpcCode::unimplemented, "no such method"},
         "",
         Answer::failure,
         "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): no such method"},
        {{GrpcCode::deadline_exceeded, "read: timeout"},
         "",
         Answer::failure,
         "timeout: health rpc did not complete within 3s"},
        {{GrpcCode{77}, "odd"}, "", Answer::failure, "code = Code(77) desc = odd"},
        {{GrpcCode::unavailable, "closed by the server"}, "", Answer::failure, "code = Unavailable"},
    }));
    CAPTURE(row.reason);
    const Outcome outcome = judge_health(row.status, row.message, 3s);
    CHECK(outcome.answer == row.answer);
    CHECK_THAT(outcome.reason, Catch::Contains(row.reason));
}
