// The health pages, as kube-proxy's TestHealthzServer asks them.
#include "proxy/serve/node_health.hpp"

#include <catch2/catch.hpp>

#include "proxy/sync/rounds.hpp"

using namespace proxy;
using namespace std::chrono_literals;

namespace {

const Time now = Time{} + 1h;
const auto wall = std::chrono::system_clock::time_point(1'789'000'000s + 120'500us);
const char* const wall_text = "2026-09-10 00:26:40.1205 +0000 UTC";

}  // namespace

TEST_CASE("when /healthz and /livez are 200") {
    struct Row {
        const char* what;
        NodeHealth health;
        int healthz;
        int livez;
    };
    const Row rows[] = {
        {"all is programmed", {true, false, false, {}, wall}, 200, 200},
        {"waiting for the first list, the kernel is empty", {false, false, false, {}, {}}, 503, 200},
        {"waiting for it, the kernel carries", {true, false, false, {}, {}}, 200, 200},
        {"a change has just come", {true, false, false, now, wall}, 200, 200},
        {"it waits", {true, false, false, now - stuck_after + 1ms, wall}, 200, 200},
        {"it is stuck", {true, false, false, now - stuck_after, wall}, 503, 503},
        {"the kernel refuses nearly everything", {true, false, true, {}, wall}, 503, 503},
        {"the Node is about to go", {true, true, false, {}, wall}, 503, 200},
        {"and a change is stuck", {true, true, false, now - 1h, wall}, 503, 503},
    };
    for (const Row& row : rows) {
        INFO(row.what);
        CHECK(healthz_reply(row.health, now, wall).status == row.healthz);
        CHECK(livez_reply(row.health, now, wall).status == row.livez);
        CHECK(is_healthy(row.health, now) == (row.livez == 200));
    }
}

TEST_CASE("a failed round is over when an audit has succeeded, and the next one waits") {
    Rounds rounds;
    CHECK(rounds.may_begin(now));
    rounds.fail("netlink dump: No buffer space available", now);
    CHECK(rounds.failed());
    CHECK_FALSE(rounds.may_begin(now + 999ms));
    CHECK(rounds.may_begin(now + 1s));
    rounds.fail("netlink send", now + 1s);
    CHECK(rounds.again() == now + 2s);
    CHECK(*rounds.problem() == "the kernel cannot be programmed: netlink send; retrying every second");
    rounds.audited();
    CHECK_FALSE(rounds.failed());
    CHECK_FALSE(rounds.problem());
    CHECK(rounds.may_begin(now));
}

TEST_CASE("the answers are kube-proxy's, byte for byte but for the monotonic reading of its clock") {
    NodeHealth health{true, false, false, {}, wall - 90s};
    const auto body = [](const Reply& reply) {
        CHECK(reply.content_type == "application/json");
        return reply.body;
    };
    const auto expected = [](const std::string& updated, const std::string& more) {
        return R"({"lastUpdated": ")" + updated + R"(","currentTime": ")" + wall_text + "\"" + more + "}";
    };
    CHECK(body(healthz_reply(health, now, wall)) == expected(wall_text, R"(, "nodeEligible": true)"));
    CHECK(body(livez_reply(health, now, wall)) == expected(wall_text, ""));
    health.leaving = true;
    CHECK(body(healthz_reply(health, now, wall)) ==
          expected("2026-09-10 00:25:10.1205 +0000 UTC", R"(, "nodeEligible": false)"));
    CHECK(body(livez_reply(health, now, wall)) == expected(wall_text, ""));
    health = {true, false, false, now - 1h, {}};
    CHECK(body(healthz_reply(health, now, wall)) ==
          expected("0001-01-01 00:00:00 +0000 UTC", R"(, "nodeEligible": true)"));
    health.last_sync = std::chrono::system_clock::time_point(1'789'000'000s);
    CHECK(body(livez_reply(health, now, wall)) == expected("2026-09-10 00:26:40 +0000 UTC", ""));
}

TEST_CASE("/readyz says what is missing") {
    const Reply waiting = readyz_reply({}, false, "the first list of \"services\"", wall);
    CHECK(waiting.status == 503);
    CHECK_THAT(waiting.body, Catch::EndsWith(R"(, "waitingFor": "the first list of \"services\""})"));
    NodeHealth degraded{true, false, true, {}, wall};
    CHECK(readyz_reply(degraded, true, "", wall).status == 503);
    CHECK_THAT(readyz_reply(degraded, true, "", wall).body, Catch::Contains("\"degraded\": \"the kernel refuses most"));
    degraded = {true, false, false, {}, wall, true};
    CHECK_THAT(readyz_reply(degraded, true, "", wall).body, Catch::Contains("the kernel cannot be programmed"));
    CHECK_THAT(readyz_reply(degraded, false, "pods", wall).body, Catch::Contains("waitingFor"));
    const Reply ready = readyz_reply({}, true, "", wall);
    CHECK(ready.status == 200);
    CHECK_THAT(ready.body, !Catch::Contains("waitingFor"));
}
