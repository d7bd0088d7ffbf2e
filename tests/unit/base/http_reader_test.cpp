// Heads and what is only announced; bodies are in tests/unit/api/http_answer_test.cpp.
#include "base/http_reader.hpp"

#include <catch2/catch.hpp>
#include <cstring>
#include <utility>

using namespace base;

namespace {

struct Seen {
    unsigned status = 0;
    std::string location;
    std::string problem;  ///< "waits": more bytes are needed, and none come
};

Seen seen(std::string_view bytes, std::size_t piece, bool closes, std::size_t longest_head) {
    HttpReader reader(longest_head);
    for (;;) {
        const auto whole = reader.head();
        if (!whole)
            return {0, "", whole.error()};
        if (*whole)
            return {reader.status(), std::string(reader.field("Location")), ""};
        const auto room = reader.room();
        const std::size_t size = std::min({room.size(), bytes.size(), piece});
        std::memcpy(room.data(), bytes.data(), size);
        reader.received(size);
        bytes.remove_prefix(size);
        if (size == 0 && !std::exchange(closes, false))
            return {0, "", "waits"};
        if (size == 0)
            reader.closed();
    }
}

std::string repeated(const std::string& text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i)
        all += text;
    return all;
}

}  // namespace

TEST_CASE("a head is the same however it is cut") {
    struct Row {
        std::string bytes;
        unsigned status;  ///< 0: none
        std::string location_or_problem;
        bool closes = false;
    };
    const std::string ok = "HTTP/1.1 200 OK\r\n\r\n";
    const std::string wait = "HTTP/1.1 102 Processing\r\nX: y\r\n\r\n";
    const auto row = GENERATE_COPY(values<Row>({
        {ok, 200, ""},
        {"HTTP/1.0 302 Found\r\nlocation: /there\r\nContent-Length: 10\r\n\r\n", 302, "/there"},
        {"HTTP/1.1 101 Switching\r\n\r\n", 101, ""},
        {wait + ok, 200, ""},
        {repeated(wait, 5) + ok, 200, ""},
        {repeated(wait, 6) + ok, 0, "the answer is only announced, again and again"},
        {ok.substr(0, 15), 0, "waits"},
        {ok.substr(0, 15), 0, "closed by the server", true},
        {"", 0, "closed by the server", true},
        {"220 mail.example ESMTP\r\n\r\n", 0, "the answer is no HTTP that can be read (bad version)"},
        {"HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x'), 0, "can be read (header limit exceeded)"},
    }));
    const std::size_t piece = GENERATE(std::size_t{1}, std::size_t{7}, std::size_t{1} << 20);
    const std::size_t longest_head = GENERATE(std::size_t{16} * 1024, std::size_t{64} * 1024);
    CAPTURE(row.bytes.substr(0, 200), piece, longest_head);
    const Seen is = seen(row.bytes, piece, row.closes, longest_head);
    CHECK(is.status == row.status);
    CHECK_THAT(row.status != 0 ? is.location : is.problem, Catch::Contains(row.location_or_problem));
}
