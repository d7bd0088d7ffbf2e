// One exchange over HTTP/2, against what servers send.
#include <catch2/catch.hpp>

#include "health/h2/exchange.hpp"
#include "tests/unit/health/h2_frames.hpp"

using namespace health;
using namespace h2;

namespace {

constexpr auto until_head = H2Exchange::Until::head;
constexpr auto until_end = H2Exchange::Until::end;

H2Request question() {
    H2Request request;
    request.authority = "10.1.0.11:8443";
    request.path = "/healthz";
    request.fields = {{"user-agent", "test"}};
    return request;
}

std::string ok(int more = none) {
    return head({{":status", "200"}}, more);
}

}  // namespace

TEST_CASE("the request begins with the preface, SETTINGS that forbid pushes, and its head; its body follows") {
    H2Exchange exchange(question(), until_head, {});
    const std::string sent = exchange.to_send();
    const std::string preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    REQUIRE(sent.starts_with(preface));
    const std::string settings_frame =
        frame(settings, none, 0, number(2, 2) + number(0, 4) + number(6, 2) + number(64 * 1024, 4));
    CHECK(sent.substr(preface.size(), settings_frame.size()) == settings_frame);
    CHECK(static_cast<int>(sent[preface.size() + settings_frame.size() + 3]) == headers);
    CHECK(static_cast<int>(sent[preface.size() + settings_frame.size() + 4]) == (end_headers | end_stream));
    CHECK(exchange.to_send().empty());

    H2Request with_body = question();
    with_body.body = std::string(100'000, 'x');
    H2Exchange other(with_body, until_end, {});
    const auto first = other.to_send().size();
    CHECK(first > 60'000);
    CHECK(first < 70'000);  // the window that every connection begins with
    other.received(hello + frame(window_update, none, 0, number(100'000, 4)) +
                   frame(window_update, none, 1, number(100'000, 4)));
    CHECK(other.to_send().size() > 30'000);
}

TEST_CASE("what servers send, and what that means") {
    struct Row {
        const char* what;
        std::string sent;
        unsigned status;
        const char* problem;
    };
    const std::string huge(16'000, 'x');
    const auto row = GENERATE_REF(values<Row>({
        {"an answer", hello + ok(end_stream), 200, ""},
        {"an answer whose body is still to come", hello + ok(), 200, ""},
        {"a redirect", hello + head({{":status", "302"}, {"location", "/there"}}), 302, ""},
        {"an announcement before it", hello + head({{":status", "103"}}) + ok(), 200, ""},
        {"frames that nobody knows", hello + frame(0x77, 0xff, 0, "abc") + ok(), 200, ""},
        {"some PINGs", hello + times(20, frame(ping, none, 0, "12345678")) + ok(), 200, ""},
        {"a GOAWAY that lets ours go on", hello + frame(goaway, none, 0, number(1, 4) + number(0, 4)) + ok(), 200, ""},

        {"nothing", "", 0, "closed by the server"},
        {"SETTINGS alone", hello, 0, "closed by the server"},
        {"only announcements", hello + times(6, head({{":status", "100"}})), 0, "only announced, again and again"},
        {"no SETTINGS", ok(end_stream), 0, "this is no HTTP/2"},
        {"HTTP/1.1", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0, "this is no HTTP/2"},
        {"a GOAWAY that leaves ours out",
         hello + frame(goaway, none, 0, number(0, 4) + number(11, 4) + "too_many_pings"), 0,
         "the server has ended the exchange: ENHANCE_YOUR_CALM too_many_pings"},
        {"a GOAWAY, and the end", hello + frame(goaway, none, 0, number(1, 4) + number(2, 4)), 0,
         "closed by the server (INTERNAL_ERROR"},
        {"RST_STREAM", hello + frame(rst_stream, none, 1, number(8, 4)), 0,
         "the server has ended the exchange: CANCEL"},
        {"RST_STREAM of an unknown code", hello + frame(rst_stream, none, 1, number(77, 4)), 0, "code 77"},
        {"a head without a status", hello + head({{"server", "x"}}), 0, "this is no HTTP/2"},
        {"a name in upper case", hello + head({{":status", "200"}, {"Server", "x"}}), 0, "this is no HTTP/2"},
        {"fields of a connection", hello + head({{":status", "200"}, {"connection", "close"}}), 0, "this is no HTTP/2"},
        {"fields that cannot be unpacked", hello + frame(headers, end_headers, 1, "\xff\xff\xff\xff\xff\xff"), 0,
         "this is no HTTP/2"},
        {"an answer to what was not asked", hello + frame(headers, end_headers, 3, field(":status", "200")), 0,
         "this is no HTTP/2"},
        {"a body before the head", hello + frame(data, none, 1, "abc"), 0, "this is no HTTP/2"},
        {"a push, which is refused",
         hello +
             frame(push_promise, end_headers, 1,
                   number(2, 4) +
                       block({{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/"}})) +
             ok(),
         200, ""},
        {"a frame that is too long", hello + number(0xffffff, 3) + std::string("\1\4\0\0\0\1", 6) + huge, 0,
         "this is no HTTP/2"},
        {"a window beyond all bounds", hello + frame(window_update, none, 0, number(0x7fffffff, 4)), 0,
         "this is no HTTP/2"},

        {"PINGs without end", hello + times(10'000, frame(ping, none, 0, "12345678")), 0, "too many frames"},
        {"SETTINGS without end", times(10'000, hello), 0, "too many frames"},
        {"SETTINGS of many entries", frame(settings, none, 0, times(2'000, number(0x99, 2) + number(1, 4))), 0,
         "this is no HTTP/2"},
        {"WINDOW_UPDATEs without end", hello + times(10'000, frame(window_update, none, 0, number(1, 4))), 0,
         "too many frames"},
        {"CONTINUATIONs without end",
         hello + frame(headers, none, 1, field(":status", "200")) + times(10'000, frame(continuation, none, 1, "")), 0,
         "this is no HTTP/2"},
        {"empty DATA without end", hello + ok() + times(10'000, frame(data, none, 1, "")), 200, "too many frames"},
        {"unknown frames without end", hello + times(100, frame(0x77, none, 0, huge)), 0, "more than 524288 bytes"},
        {"a head without end",
         hello + frame(headers, none, 1, field(":status", "200")) +
             times(7, frame(continuation, none, 1, times(100, field("x-y", std::string(120, 'z'))))),
         0, "the answer's head has more than 65536 bytes"},
        // One field of 4 KiB that is put into the table, and then named by a byte each time.
        {"a head that is small until it is unpacked",
         hello + frame(headers, end_headers, 1,
                       field(":status", "200") + "\x40\x01x\x7f\xa1\x1e" + std::string(4'000, 'y') +
                           std::string(10'000, '\xbe')),
         0, "the answer's head has more than 65536 bytes"},
    }));
    CAPTURE(row.what);
    // Of those whose head is whole, the end is waited for only where the row is about what comes behind it.
    const bool behind = row.status != 0 && *row.problem != '\0';
    H2Exchange exchange(question(), behind ? until_end : until_head, {});
    play(exchange, row.sent, true, GENERATE(1U, 7U, 16384U));
    CHECK(exchange.is_over());
    CHECK(exchange.status() == row.status);
    CHECK_THAT(exchange.problem(), Catch::Contains(row.problem));
    CHECK(exchange.problem().empty() == (*row.problem == '\0'));
}

TEST_CASE("answers that nobody takes are not kept for ever") {
    H2Exchange exchange(question(), until_head, {});
    exchange.to_send();
    exchange.received(hello + times(400, frame(ping, none, 0, "12345678")));  // and we write nothing
    CHECK(exchange.is_over());
    CHECK_THAT(exchange.problem(), Catch::Contains("too many frames"));
}

TEST_CASE("a body is handed on while it comes, and the fields behind it are read") {
    std::string body;
    H2Exchange exchange(question(), until_end, {}, [&](std::string_view piece) {
        body += piece;
        return true;
    });
    const std::string part(16'000, 'x');
    // More than the window of a connection: it is opened again and again.
    play(exchange, hello + ok() + times(100, frame(data, none, 1, part)) + head({{"grpc-status", "0"}}, end_stream));
    CHECK(exchange.problem().empty());
    CHECK(body.size() == 100 * part.size());
    CHECK(exchange.trailer("grpc-status") == "0");
    CHECK(exchange.field("grpc-status").empty());
}

TEST_CASE("a body that is not wanted any more ends the exchange") {
    std::size_t taken = 0;
    H2Exchange exchange(question(), until_end, {}, [&](std::string_view piece) {
        taken += piece.size();
        return taken < 1'000;
    });
    play(exchange, hello + ok() + times(100, frame(data, none, 1, std::string(600, 'x'))), false, 700);
    CHECK(exchange.is_over());
    CHECK(exchange.problem().empty());
    CHECK(taken < 2'000);
}

TEST_CASE("a request that cannot be written is a problem at once") {
    H2Request request = question();
    request.fields.emplace_back("x-large", std::string(2'000'000, 'x'));
    H2Exchange exchange(request, until_head, {});
    exchange.to_send();
    CHECK(exchange.is_over());
    CHECK_THAT(exchange.problem(), Catch::Contains("the request cannot be"));
}
