#include "api/cluster/http_answer.hpp"

#include <catch2/catch.hpp>
#include <cstring>

#include "packed.hpp"

using namespace api;

namespace {

struct Seen {
    unsigned status = 0;
    std::optional<std::chrono::seconds> retry_after;
    std::string text;
    std::string problem;  ///< "waits": more bytes are needed, and none come
    bool reusable = false;
};

/// Hands bytes in, `piece` at a time, as they are asked for.
class Server {
public:
    Server(HttpAnswer& answer, std::string_view bytes, std::size_t piece, bool closes)
        : answer_(answer), left_(bytes), piece_(piece), closes_(closes) {}

    bool send() {
        const auto room = answer_.room();
        const std::size_t size = std::min({room.size(), left_.size(), piece_});
        std::memcpy(room.data(), left_.data(), size);
        answer_.received(size);
        left_.remove_prefix(size);
        if (size > 0)
            return true;
        if (closes_)
            answer_.closed();
        return std::exchange(closes_, false);
    }
    /// Until a step has a result; nothing when no more comes.
    template <class Step>
    auto until(Step step) {
        auto result = step();
        while (result && !*result && send())
            result = step();
        return result;
    }

private:
    HttpAnswer& answer_;
    std::string_view left_;
    std::size_t piece_;
    bool closes_;
};

Seen seen(HttpAnswer& answer, Server& server) {
    Seen seen;
    answer.begin();
    const auto head = server.until([&] { return answer.head(); });
    if (!head || !*head) {
        seen.problem = head ? "waits" : head.error();
        return seen;
    }
    seen.status = (*head)->status;
    seen.retry_after = (*head)->retry_after;
    for (;;) {
        const auto text = server.until([&] { return answer.text(); });
        if (!text || !*text)
            seen.problem = text ? "waits" : text.error();
        if (!text || !*text || (*text)->empty())
            break;
        seen.text += **text;
    }
    seen.reusable = answer.reusable();
    return seen;
}

Seen seen(std::string_view bytes, std::size_t piece, bool closes) {
    HttpAnswer answer;
    Server server(answer, bytes, piece, closes);
    return seen(answer, server);
}

const std::string ok = "HTTP/1.1 200 OK\r\n";

}  // namespace

TEST_CASE("an answer is the same however it is cut") {
    struct Row {
        std::string bytes;
        unsigned status;
        std::string text;
        bool reusable;
        bool closes = false;
        std::string problem;
    };
    const std::string long_text(100'000, 'x');
    const std::string gzip = "Content-Encoding: gzip\r\n";
    const auto length = [](std::size_t size) { return "Content-Length: " + std::to_string(size) + "\r\n\r\n"; };
    const std::string zip = packed(long_text);
    const auto row = GENERATE_COPY(values<Row>({
        {ok + length(2) + "ab", 200, "ab", true},
        {ok + length(0), 200, "", true},
        {ok + length(long_text.size()) + long_text, 200, long_text, true},
        {ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3;x=y\r\ncde\r\n0\r\n\r\n", 200, "abcde", true},
        {ok + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, "", true},
        {ok + "Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n", 200, "", true},
        {ok + "Connection: close\r\n" + length(2) + "ab", 200, "ab", false},
        {ok + "\r\nuntil the end", 200, "until the end", false, true},
        {ok + gzip + length(zip.size()) + zip, 200, long_text, true},
        {"HTTP/1.1 503 No\r\n" + length(2) + "ab", 503, "ab", true},
        // What is only announced is no answer, and the next request does not get this one's.
        {"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + ok + length(2) + "ab", 200, "ab", true},
        {ok + length(3) + "ab", 200, "ab", false, true, "closed by the server"},
        {ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", 200, "ab", false, true, "closed by the server"},
        {ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", 200, "ab", false, false, "waits"},
        {ok + "Transfer-Encoding: chunked\r\n\r\nmany\r\nab\r\n", 200, "", false, false, "no HTTP that can be read"},
        {ok + gzip + length(2) + "ab", 200, "", false, false, "damaged gzip stream"},
        {ok + gzip + length(zip.size() - 9) + zip.substr(0, zip.size() - 9), 200, long_text, false, false,
         "closed by the server"},
        {"", 0, "", false, true, "closed by the server"},
        {ok, 0, "", false, true, "closed by the server"},
        {ok, 0, "", false, false, "waits"},
        {"SSH-2.0-OpenSSH_9.2\r\n\r\n", 0, "", false, false, "no HTTP that can be read"},
    }));
    const std::size_t piece = GENERATE(std::size_t{1}, std::size_t{7}, std::size_t{1} << 20);
    CAPTURE(row.bytes.substr(0, 200), piece);
    const Seen is = seen(row.bytes, piece, row.closes);
    CHECK(is.status == row.status);
    CHECK(is.text.size() == row.text.size());
    CHECK(is.text == row.text);
    CHECK(is.problem.empty() == row.problem.empty());
    CHECK_THAT(is.problem, Catch::Contains(row.problem));
    CHECK(is.reusable == row.reusable);
}

TEST_CASE("what has come behind an answer is not taken for the next one") {
    const Seen is = seen(ok + "Content-Length: 2\r\n\r\nab" + ok + "Content-Length: 0\r\n\r\n", 1000, false);
    CHECK(is.text == "ab");
    CHECK_FALSE(is.reusable);
}

TEST_CASE("what has no end is given up") {
    std::string announcements;
    for (int i = 0; i < 6; ++i)
        announcements += "HTTP/1.1 102 Processing\r\n\r\n";
    CHECK(seen(announcements, 1000, false).problem == "the answer is only announced, again and again");
    CHECK_THAT(seen(ok + "X-Long: " + std::string(20'000, 'x'), 1000, false).problem, Catch::Contains("header limit"));
    CHECK(seen(ok + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(20'000, 'x'), 1000, false).problem ==
          "the answer has a line that is too long");
}

TEST_CASE("a server says when it may be asked again, within an hour") {
    const auto after = [](const std::string& value) {
        return seen("HTTP/1.1 429 Slow\r\nRetry-After: " + value + "\r\nContent-Length: 0\r\n\r\n", 1000, false)
            .retry_after;
    };
    CHECK(after("7") == std::chrono::seconds(7));
    CHECK(after("-7") == std::chrono::seconds(0));
    CHECK(after("100000") == std::chrono::hours(1));
    CHECK(after("99999999999999999999") == std::nullopt);
    CHECK(after("Fri, 31 Dec 1999 23:59:59 GMT") == std::nullopt);
    CHECK(after("") == std::nullopt);
}

TEST_CASE("one connection has one answer after the other") {
    HttpAnswer answer;
    const std::string first = ok + "Content-Encoding: gzip\r\nContent-Length: " + std::to_string(packed("one").size()) +
                              "\r\n\r\n" + packed("one");
    Server one(answer, first, 3, false);
    CHECK(seen(answer, one).text == "one");
    CHECK(answer.reusable());
    const std::string second = ok + "Content-Length: 3\r\n\r\ntwo";
    Server two(answer, second, 3, true);
    CHECK(seen(answer, two).text == "two");
    CHECK(answer.reusable());
    CHECK(two.send());  // the server closes in between
    CHECK_FALSE(answer.reusable());
    CHECK(seen(answer, two).problem == "closed by the server");
}
