// What is said of a host that cannot make its probes, and how it knows that it loses packets.
#include "proxy/sync/probe_trouble.hpp"

#include <catch2/catch.hpp>

#include "proxy/sync/tracking_drops.hpp"

using namespace proxy;
using namespace std::chrono_literals;

TEST_CASE("drops of connection tracking are found by the heading of their column, on all processors") {
    struct Row {
        const char* what;
        const char* text;
        std::optional<std::uint64_t> drops;
    };
    const auto row = GENERATE(values<Row>({
        {"Linux 6.1",
         "entries  clashres found new invalid ignore delete chainlength insert insert_failed drop early_drop "
         "icmp_error "
         "expect_new expect_create expect_delete search_restart\n"
         "00000005  00000000 00000000 00000000 00000007 00000000 00000000 00000000 00000000 00000001 00000010 00000002 "
         "00000000 00000000 00000000 00000000 00000000\n"
         "00000005  00000000 00000000 00000000 00000007 00000000 00000000 00000000 00000000 00000001 0000000a 00000002 "
         "00000000 00000000 00000000 00000000 00000000\n",
         0x1a},
        {"another order", "drop entries\n00000003 00000001\n", 3},
        {"no such column", "entries found\n00000003 00000001\n", {}},
        {"cut off", "entries drop\n00000003\n", {}},
        {"no number", "entries drop\n00000003 xyz\n", {}},
        {"nothing", "", {}},
        {"a heading alone", "entries drop\n", 0},
    }));
    CAPTURE(row.what);
    CHECK(parse_tracking_drops(row.text) == row.drops);
}

TEST_CASE("drops rise when there are more than at the last look that is a second old") {
    const Time now = Time{} + 1h;
    TrackingDrops drops;
    CHECK_FALSE(drops.rising(5, now));  // those are of long ago, for all we know
    CHECK_FALSE(drops.rising(5, now + 10s));
    CHECK(drops.rising(6, now + 20s));
    CHECK(drops.rising(6, now + 20s + 10ms));  // another pod's probe
    CHECK_FALSE(drops.rising(6, now + 21s));
    CHECK(drops.rising(7, now + 21s + 10ms));
    CHECK_FALSE(drops.rising({}, now + 30s));
}

TEST_CASE("what keeps this host from probing is a problem for a minute, and few lines whatever happens") {
    const Time now = Time{} + 1h;
    ProbeTrouble trouble;
    CHECK_FALSE(trouble.problem(now));
    trouble.note("connect: Too many open files", now);
    trouble.note("connect: Network is unreachable", now + 30s);
    CHECK(
        *trouble.problem(now + 60s) ==
        "this host cannot make some probes (connect: Network is unreachable, connect: Too many open files), which says "
        "nothing about the pods: they keep the verdict that they have");
    CHECK_THAT(*trouble.problem(now + 61s), !Catch::Contains("open files"));
    CHECK_FALSE(trouble.problem(now + 91s));
    for (int i = 0; i < 1000; ++i)
        trouble.note("reason " + std::to_string(i), now + 100s);
    CHECK(trouble.problem(now + 100s)->size() < 250);
}
