// What the kernel side does, and when.
#include "proxy/sync/kernel_schedule.hpp"

#include <catch2/catch.hpp>
#include <functional>
#include <string>

using namespace proxy;
using namespace std::chrono_literals;

namespace {

const Time start = Time{} + 1h;
constexpr auto period = 60s;

/// A schedule whose acts all succeed at once.
struct World {
    KernelSchedule schedule{period};
    Dues dues;
    Time now = start;

    /// The acts until it waits, and for how long: "listen sync, then 60000 ms".
    std::string acts() {
        std::string text;
        for (int i = 0; i < 100; ++i) {
            const Next next = schedule.next(now, dues);
            if (next.act == Act::wait)
                return text +
                       (next.until ? "then " + std::to_string((*next.until - now) / 1ms) + " ms" : "then until woken");
            text += std::string(word(next.act)) + " ";
            done(next.act);
        }
        return "no end";
    }
    void done(Act act) {
        if (act == Act::listen)
            schedule.listens();
        if (act == Act::audit)
            schedule.audited(now);
        if (act == Act::sync)
            schedule.synced(true, now);
    }
    /// Begun and at rest.
    void settle() {
        schedule.begin(now);
        schedule.synced(true, now);
        acts();
    }
    /// The next act that is not the wait, while others succeed.
    void run_to(Act act) {
        for (Next next = schedule.next(now, dues); next.act != act; next = schedule.next(now, dues)) {
            REQUIRE(next.act != Act::wait);
            done(next.act);
        }
    }
};

struct Row {
    const char* what;
    std::function<void(World&)> happens;  // to a settled one
    const char* acts;
};

const Row rows[] = {
    {"nothing to do", [](World&) {}, "then 60000 ms"},
    {"a wish", [](World& world) { world.schedule.wake(world.now); }, "sync then 60000 ms"},
    {"the audit is due", [](World& world) { world.now += period; }, "follow_host sync audit sync then 60000 ms"},
    {"nearly", [](World& world) { world.now += period - 1ms; }, "then 1 ms"},
    {"damage, long after the last audit",
     [](World& world) {
         world.now += 1s;
         world.schedule.want_audit();
         world.schedule.wake(world.now);
     },
     "follow_host sync audit sync then 60000 ms"},
    {"damage just after an audit waits",
     [](World& world) {
         world.schedule.audited(world.now);
         world.now += 50ms;
         world.schedule.want_audit();
         world.schedule.wake(world.now);
     },
     "follow_host sync then 150 ms"},
    {"and is then looked at",
     [](World& world) {
         world.schedule.audited(world.now);
         world.schedule.want_audit();
         world.schedule.wake(world.now);
         world.acts();
         world.now += KernelSchedule::audit_pause;
     },
     "follow_host sync audit sync then 60000 ms"},
    {"addresses",
     [](World& world) {
         world.schedule.note_addresses();
         world.schedule.wake(world.now);
     },
     "follow_host sync then 60000 ms"},
    {"a refused change is due", [](World& world) { world.dues.refused = world.now; }, "sync sync sync"},
    {"a refused change is due soon", [](World& world) { world.dues.refused = world.now + 5s; }, "then 5000 ms"},
    {"the next step of a weight", [](World& world) { world.dues.slow_start = world.now + 3s; }, "then 3000 ms"},
    {"what own checks may do changes", [](World& world) { world.dues.opinions = world.now + 3s; }, "then 3000 ms"},
    {"something drains", [](World& world) { world.dues.drains = true; }, "count_draining sync then 1000 ms"},
    {"it was counted just now",
     [](World& world) {
         world.dues.drains = true;
         world.acts();
         world.now += 400ms;
         world.schedule.wake(world.now);
     },
     "sync then 600 ms"},
    {"removals are held back", [](World& world) { world.schedule.hold_sweep(world.now + 30s); }, "then 30000 ms"},
    {"and their time has come",
     [](World& world) {
         world.schedule.hold_sweep(world.now + 30s);
         world.now += 30s;
     },
     "sweep sync then 30000 ms"},
    {"but the API server is away",
     [](World& world) {
         world.schedule.hold_sweep(world.now + 30s);
         world.now += 30s;
         world.dues.source_is_current = false;
     },
     "sync then 1000 ms"},
    {"the kernel cannot be spoken to", [](World& world) { world.schedule.failed("netlink", world.now); },
     "then 1000 ms"},
    {"a wish does not shorten that",
     [](World& world) {
         world.schedule.failed("netlink", world.now);
         world.now += 300ms;
         world.schedule.wake(world.now);
     },
     "then 700 ms"},
    {"after the pause an audit comes before any change",
     [](World& world) {
         world.schedule.failed("netlink", world.now);
         world.now += 1s;
     },
     "follow_host audit sync then 60000 ms"},
};

}  // namespace

TEST_CASE("before the first complete objects the kernel side waits, whatever is wished") {
    World world;
    CHECK(world.acts() == "then until woken");
    world.schedule.wake(world.now);
    world.schedule.want_audit();
    world.schedule.note_addresses();
    CHECK(world.acts() == "then until woken");
    CHECK_FALSE(world.schedule.waiting_since());
}

TEST_CASE("the first complete objects: it listens for damage, and gives the kernel what is left") {
    World world;
    world.schedule.begin(world.now);
    CHECK(world.acts() == "listen sync then 60000 ms");
    world.schedule.wake(world.now);
    CHECK(world.acts() == "sync then 60000 ms");
}

TEST_CASE("what a settled kernel side does") {
    for (const Row& row : rows) {
        INFO(row.what);
        World world;
        world.settle();
        row.happens(world);
        const std::string expected = row.acts;
        if (expected.find("then") == std::string::npos) {  // as long as it is due
            std::string text;
            for (int i = 0; i < 3; ++i) {
                const Next next = world.schedule.next(world.now, world.dues);
                text += (i == 0 ? "" : " ") + std::string(word(next.act));
                world.done(next.act);
            }
            CHECK(text == expected);
        } else {
            CHECK(world.acts() == expected);
        }
    }
}

TEST_CASE("who damages again and again is answered ever more seldom, and anew once it has been quiet") {
    World world;
    world.settle();
    std::vector<long> pauses;
    const auto damage = [&] {
        world.schedule.want_audit();
        world.schedule.wake(world.now);
        const Time asked = world.now;
        for (;;) {
            const Next next = world.schedule.next(world.now, world.dues);
            if (next.act == Act::wait) {
                world.now = *next.until;
            } else if (next.act == Act::audit) {
                world.schedule.audited(world.now, true);
                world.acts();
                return (world.now - asked) / 1ms;
            } else {
                world.done(next.act);
            }
        }
    };
    world.now += 1min;
    for (int i = 0; i < 32; ++i)
        pauses.push_back(damage());
    CHECK(pauses[0] == 0);
    CHECK(pauses[1] == 200);
    CHECK(pauses[20] == 200);
    CHECK(pauses[21] == 400);
    CHECK(pauses[22] == 800);
    CHECK(pauses[31] == 30'000);
    world.now += KernelSchedule::longest_pause + KernelSchedule::row_ends + 1s;
    CHECK(damage() == 0);
    CHECK(damage() == 200);
}

TEST_CASE("a failure ends its round, in whatever act, and the next one begins with an audit") {
    for (const Act act : {Act::listen, Act::follow_host, Act::sync, Act::audit}) {
        INFO(word(act));
        World world;
        if (act != Act::listen)
            world.settle();
        else
            world.schedule.begin(world.now);
        world.now += period;
        world.run_to(act);
        world.schedule.failed("netlink dump: No buffer space available", world.now);
        CHECK(world.schedule.is_failing());
        CHECK(world.schedule.waiting_since() == world.now);
        CHECK(world.acts() == "then 1000 ms");
        world.now += 1s;
        CHECK(world.acts() == (act == Act::listen ? "listen follow_host audit sync then 60000 ms"
                                                  : "follow_host audit sync then 60000 ms"));
        CHECK_FALSE(world.schedule.is_failing());
        CHECK_FALSE(world.schedule.problem());
    }
}

TEST_CASE("a failure lasts until an audit has succeeded, and is tried again every second") {
    World world;
    world.settle();
    world.schedule.failed("netlink send", world.now);
    for (int i = 0; i < 3; ++i) {
        world.now += 1s;
        world.run_to(Act::audit);
        world.schedule.failed("netlink send", world.now);
        CHECK(world.acts() == "then 1000 ms");
    }
    CHECK(world.schedule.waiting_since() == start);
    CHECK(*world.schedule.problem() == "the kernel cannot be programmed: netlink send; retrying every second");
}

TEST_CASE("damage during an audit asks for another one, after a pause") {
    World world;
    world.settle();
    world.now += period;
    world.run_to(Act::audit);
    world.schedule.want_audit();
    world.schedule.wake(world.now);
    world.schedule.audited(world.now);
    CHECK(world.acts() == "sync follow_host sync then 200 ms");
}

TEST_CASE("a wish during an audit is seen once") {
    World world;
    world.settle();
    CHECK_FALSE(world.schedule.consume_wish());
    world.schedule.wake(world.now);
    CHECK(world.schedule.consume_wish());
    CHECK_FALSE(world.schedule.consume_wish());
}

TEST_CASE("since when the oldest wish waits") {
    World world;
    world.settle();
    CHECK_FALSE(world.schedule.waiting_since());
    world.schedule.wake(world.now);
    world.now += 5s;
    world.schedule.wake(world.now);
    CHECK(world.schedule.waiting_since() == start);
    world.schedule.synced(false, world.now);
    CHECK(world.schedule.waiting_since() == start);
    world.schedule.synced(true, world.now);
    CHECK_FALSE(world.schedule.waiting_since());
    world.schedule.synced(false, world.now);
    CHECK(world.schedule.waiting_since() == world.now);
}

TEST_CASE("how many may be missing before it is doubted") {
    struct Row {
        std::size_t present, wanted;
        bool doubtful;
    };
    const Row rows_of_doubt[] = {{0, 0, false},  {10, 0, false},  {11, 0, true},    {11, 4, true},
                                 {11, 5, false}, {100, 49, true}, {100, 50, false}, {100, 200, false}};
    for (const Row& row : rows_of_doubt) {
        INFO(row.present << " there, " << row.wanted << " wanted");
        CHECK(mostly_gone(row.present, row.wanted) == row.doubtful);
    }
}
