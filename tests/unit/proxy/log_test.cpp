// A line of the log, whatever is in its texts.
#include "proxy/log/log.hpp"

#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>

using namespace proxy;

TEST_CASE("an annotation with a line break and an escape sequence is one line of text") {
    const std::string evil = "rr\x1b[1A\x1b[2K\n2026-11-28T00:00:00.000Z error   forged";
    const std::string text = log::line(log::Format::text, log::Level::warning, 1.5, "'" + evil + "' is not a scheduler",
                                       {{"service", evil}});
    CHECK(text ==
          "'rr\\x1b[1A\\x1b[2K\\n2026-11-28T00:00:00.000Z error   forged' is not a scheduler "
          "service=\"rr\\u001b[1A\\u001b[2K\\n2026-11-28T00:00:00.000Z error   forged\"");
    const std::string json = log::line(log::Format::json, log::Level::warning, 1.5, evil, {{"service", evil}});
    CHECK(json.find('\n') == std::string::npos);
    CHECK(json.find('\x1b') == std::string::npos);
    const auto value = boost::json::parse(json);
    CHECK(value.at("message").as_string() == evil);
    CHECK(value.at("service").as_string() == evil);
    CHECK(value.at("level").as_string() == "warning");
}

TEST_CASE("a field without spaces cannot hide control characters either") {
    CHECK(log::line(log::Format::text, log::Level::info, 0, "m",
                    {{"k",
                      "a\xc2\x9b"
                      "b\xff"}}) == "m k=a\\u009bb\\xff");
}

TEST_CASE("a text of a megabyte is cut") {
    const std::string long_text(1'000'000, 'x');
    for (const auto format : {log::Format::text, log::Format::json}) {
        const std::string text = log::line(format, log::Level::info, 0, long_text, {{"k", long_text}});
        CHECK(text.size() < 9000);
        CHECK(text.find("…") != std::string::npos);
    }
}
