// When attempts begin, on a clock that jumps: rows T1 to T5 of the kubelet's timing.
#include <catch2/catch.hpp>
#include <optional>
#include <vector>

#include "health/worker.hpp"

using namespace health;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

struct Row {
    const char* id;
    milliseconds first;  // first_delay()
    std::chrono::seconds period;
    milliseconds takes;  // each attempt
    std::optional<milliseconds> triggered;
    std::vector<milliseconds> starts;
};

std::vector<milliseconds> starts_of(const Row& row) {
    const Time zero = Time{} + 1h;
    Schedule schedule(zero + row.first, row.period);
    std::optional<Time> trigger;
    if (row.triggered)
        trigger = zero + *row.triggered;
    const auto pass = [&](Time until) {  // the trigger comes before `until`
        if (trigger && *trigger < until) {
            schedule.trigger();
            trigger.reset();
        }
    };
    std::vector<milliseconds> starts;
    for (Time now = zero; starts.size() < row.starts.size();) {
        const std::optional<Time> earlier = trigger;
        const Time due = schedule.due();
        pass(due);
        now = std::max(now, schedule.due() == due ? due : *earlier);
        REQUIRE(schedule.begin(now));
        starts.push_back(std::chrono::duration_cast<milliseconds>(now - zero));
        now += row.takes;
        pass(now);
        schedule.end(now);
    }
    return starts;
}

}  // namespace

TEST_CASE("when attempts begin") {
    const auto row = GENERATE(values<Row>({
        {"T1", 3700ms, 10s, 0ms, {}, {3700ms, 13700ms, 23700ms}},
        {"T2", 0ms, 10s, 100ms, {}, {0ms, 10s, 20s}},
        {"T3", 0ms, 1s, 2500ms, {}, {0ms, 2500ms, 5s, 7500ms}},
        {"T3: one that is late drops ticks, and does not shift the others", 0ms, 1s, 100ms, {}, {0ms, 1s, 2s, 3s}},
        {"T5", 0ms, 60s, 100ms, 12300ms, {0ms, 12300ms, 72300ms, 132300ms}},
        {"T5: while an attempt runs, the trigger waits for its end", 0ms, 60s, 5s, 2s, {0ms, 5s, 65s}},
        {"T5: two triggers are one", 0ms, 60s, 100ms, 0ms, {0ms, 100ms, 60100ms}},
    }));
    CAPTURE(row.id);
    CHECK(starts_of(row) == row.starts);
}

TEST_CASE("an attempt that takes long once costs ticks, but the others come when they would have come") {
    const Time first = Time{} + 1h;
    Schedule schedule(first, 1s);
    REQUIRE(schedule.begin(first));
    schedule.end(first + 2500ms);
    CHECK(schedule.due() == first + 2500ms);
    REQUIRE(schedule.begin(first + 2500ms));
    schedule.end(first + 2600ms);
    CHECK(schedule.due() == first + 3s);
}

TEST_CASE("who is woken too early waits again") {
    const Time first = Time{} + 1h;
    Schedule schedule(first, 1s);
    CHECK_FALSE(schedule.begin(first - 1ms));
    CHECK(schedule.due() == first);
}

TEST_CASE("the first probe comes at once when the prober has been up for a period, else spread over it (T1, T2)") {
    Timing timing;
    timing.period = 10s;
    CHECK(first_delay(timing, 60s, 0.37) == 0ms);
    CHECK(first_delay(timing, 10s, 0.37) == 0ms);
    CHECK(first_delay(timing, 4s, 0.37) == 3700ms);
    CHECK(first_delay(timing, 0s, 0.0) == 0ms);
}
