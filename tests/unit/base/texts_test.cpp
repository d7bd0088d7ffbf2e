// Small texts: durations, numbers, hashes, words that are near.
#include <catch2/catch.hpp>

#include "base/go_duration.hpp"
#include "base/hash.hpp"
#include "base/numbers.hpp"
#include "base/overloaded.hpp"
#include "base/spelling.hpp"

using namespace std::chrono_literals;

TEST_CASE("durations are Go's") {
    struct Row {
        const char* text;
        std::optional<std::chrono::nanoseconds> time;
    };
    const Row row = GENERATE(values<Row>({
        {"30s", 30s},
        {"1m30s", 90s},
        {"1h0m1s", 3601s},
        {"1.5h", 90min},
        {"200ms", 200ms},
        {"1us", 1us},
        {"0", 0s},
        {"0s", 0s},
        {"-2m", -2min},
        {"+2m", 2min},
        {"", std::nullopt},
        {"30", std::nullopt},
        {"s", std::nullopt},
        {"30 s", std::nullopt},
        {"1d", std::nullopt},
        {"1m30", std::nullopt},
        {"1h-1m", std::nullopt},
        {"3000000h", std::nullopt},
    }));
    CAPTURE(row.text);
    CHECK(base::parse_go_duration(row.text) == row.time);
}

TEST_CASE("numbers are whole words") {
    CHECK(base::parse_number<int>("-17") == -17);
    CHECK(base::parse_number<std::uint16_t>("65535") == 65535);
    CHECK(base::parse_number<std::uint16_t>("1f90", 16) == 8080);
    CHECK_FALSE(base::parse_number<std::uint16_t>(GENERATE("", "65536", "-1", "+1", " 1", "1 ", "1x", "0x1")));
    CHECK(base::hexadecimal(0x50460001) == "0x50460001");
    CHECK(base::hexadecimal(1) == "0x00000001");
    CHECK(base::parse_hexadecimal("0x1A") == 26);
    CHECK_FALSE(base::parse_hexadecimal(GENERATE("", "0x", "1a", "0x1g", "0x100000000", "0x-1")));
}

// draft-eastlake-fnv, appendix C: what is stored by them must stay.
TEST_CASE("the hash is FNV-1a") {
    STATIC_REQUIRE(base::fnv1a_32("") == 0x811c9dc5);
    STATIC_REQUIRE(base::fnv1a_32("foobar") == 0xbf9cf968);
    STATIC_REQUIRE(base::fnv1a_64("") == 0xcbf29ce484222325);
    STATIC_REQUIRE(base::fnv1a_64("foobar") == 0x85944171f73967e8);
}

TEST_CASE("a word that is near is proposed") {
    const auto meant = [](std::string_view name) {
        return base::did_you_mean(name, {"selector", "ports", "type", "ip"});
    };
    CHECK(meant("selecter") == "; did you mean 'selector'?");
    CHECK(meant("port") == "; did you mean 'ports'?");
    CHECK(meant("ib") == "; did you mean 'ip'?");
    CHECK(meant("status").empty());
    CHECK(meant("").empty());
    CHECK(meant(std::string(100'000, 'x')).empty());
}
