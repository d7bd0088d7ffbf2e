// Which targets a node takes out by its own checks: the rules of docs/probing.md that look at all targets together.
#include "health/guard/ejections.hpp"

#include <catch2/catch.hpp>

using namespace health;
using namespace std::chrono_literals;

namespace {

struct World {
    Ejections ejections;
    Time now = Time{} + 1h;

    explicit World(EjectionRules rules = {}) : ejections(rules) {}

    /// So many targets, "a0", "a1", ..., that pass; each on a node of its own among `places`.
    void add(const std::string& prefix, std::size_t count, std::size_t places = 1) {
        for (std::size_t i = 0; i < count; ++i)
            find(prefix + std::to_string(i), Finding::passes, i % places);
    }
    void find(const std::string& target, Finding finding, std::size_t place = 0) {
        ejections.put(target, finding, is_bad(finding) ? "no answer" : "", "n" + std::to_string(place));
    }
    void fail(const std::string& prefix, std::size_t count, std::size_t places = 1) {
        for (std::size_t i = 0; i < count; ++i)
            find(prefix + std::to_string(i), Finding::failed, i % places);
    }
    std::size_t out_after(std::chrono::milliseconds time = 0ms) {
        now += time;
        ejections.review(now);
        return ejections.out();
    }
    bool is_out(const std::string& target) const { return ejections.of(target) != nullptr; }
};

}  // namespace

TEST_CASE("one that fails is out, with the reason, and each change is told once") {
    World world;
    world.add("a", 3);
    CHECK(world.ejections.review(world.now).empty());
    world.fail("a", 1);
    CHECK(world.ejections.next() == Time{});
    CHECK(world.ejections.review(world.now) == std::set<std::string>{"a0"});
    CHECK(world.ejections.review(world.now).empty());
    REQUIRE(world.is_out("a0"));
    CHECK(world.ejections.of("a0")->why == "no answer");
    CHECK(world.ejections.of("a0")->since == world.now);
    CHECK_FALSE(world.is_out("a1"));
    world.find("a0", Finding::dead);
    CHECK(world.ejections.review(world.now) == std::set<std::string>{"a0"});
    CHECK(world.ejections.of("a0")->finding == Finding::dead);
    world.ejections.remove("a0");
    CHECK(world.ejections.review(world.now) == std::set<std::string>{"a0"});
    CHECK(world.ejections.out() == 0);
}

TEST_CASE("a check accuses nobody that it has never passed") {
    World world;
    world.find("a", Finding::failed);
    CHECK(world.out_after() == 0);
    CHECK(world.ejections.spared("a") == "it has never passed");
    world.find("a", Finding::passes);
    world.find("a", Finding::failed);
    CHECK(world.out_after(1s) == 1);
    SECTION("another container under the same name has passed nothing") {
        world.ejections.renew("a");
        world.find("a", Finding::failed);
        CHECK(world.out_after(1s) == 0);
    }
}

TEST_CASE("rule 3: a node takes no more than so many out at a time, and the others wait for their turn") {
    EjectionRules rules;
    rules.incident.places = 1000;
    World world(rules);
    SECTION("ten within ten seconds") {
        world.add("a", 50);
        world.out_after();
        world.fail("a", 25);
        CHECK(world.out_after() == 10);
        CHECK_THAT(world.ejections.spared("a24"), Catch::Contains("waits for its turn"));
        CHECK(world.ejections.next() == world.now + 10s);
        CHECK(world.out_after(9s) == 10);
        CHECK(world.out_after(1s) == 20);
        CHECK(world.out_after(10s) == 25);
        CHECK_FALSE(world.ejections.next());
    }
    SECTION("or a twentieth of all, when that is more") {
        world.add("a", 1000);
        world.out_after();
        world.fail("a", 60);
        CHECK(world.out_after() == 50);
    }
}

TEST_CASE("rule 3: who has failed for longest goes first") {
    EjectionRules rules;
    rules.burst = 1;
    rules.percent = 0;
    World world(rules);
    world.add("a", 9);
    world.out_after();
    world.find("a5", Finding::failed);
    CHECK(world.out_after() == 1);
    world.find("a7", Finding::failed);
    CHECK(world.out_after(1s) == 1);
    world.find("a1", Finding::failed);
    CHECK(world.out_after(1s) == 1);
    CHECK(world.out_after(8s) == 2);
    CHECK(world.is_out("a7"));
}

TEST_CASE("rule 4: when much fails at once on several nodes, it may be this one that is cut off") {
    struct Row {
        const char* what;
        std::size_t failing;
        std::size_t places;
        std::size_t out;
    };
    const auto row = GENERATE(
        values<Row>({{"few", 3, 3, 3}, {"many, but of two nodes", 8, 2, 8}, {"many, of three nodes", 8, 3, 0}}));
    CAPTURE(row.what);
    World world;
    world.add("a", 20, row.places);
    world.out_after();
    world.fail("a", row.failing, row.places);
    CHECK(world.out_after() == row.out);
    CHECK(world.ejections.incident().empty() == (row.out > 0));
}

TEST_CASE("rule 4: what went out at the beginning of it comes back, what was out before stays out") {
    World world;
    world.add("a", 20, 4);
    world.out_after();
    world.find("a19", Finding::failed, 3);
    CHECK(world.out_after() == 1);
    world.fail("a", 3, 4);
    CHECK(world.out_after(30s) == 4);
    world.fail("a", 8, 4);
    CHECK(world.out_after(2s) == 1);
    CHECK(world.is_out("a19"));
    CHECK_THAT(world.ejections.incident(), Catch::Contains("8 of 20 targets on 4 nodes failed at once"));
    CHECK_THAT(world.ejections.spared("a0"), Catch::Contains("this node may be cut off"));
    SECTION("it lasts as long as they fail") {
        CHECK(world.out_after(1h) == 1);
        CHECK_FALSE(world.ejections.incident().empty());
    }
    SECTION("it is over when they have been back for a while, and then a single one counts again") {
        world.add("a", 8, 4);
        world.find("a0", Finding::failed, 0);
        CHECK(world.out_after(10s) == 1);
        CHECK(world.ejections.next() == world.now + 30s);
        CHECK(world.out_after(29s) == 1);
        CHECK(world.out_after(1s) == 2);
        CHECK(world.ejections.incident().empty());
    }
    SECTION("one that was out before may come back meanwhile") {
        world.find("a19", Finding::passes, 3);
        CHECK(world.out_after(1min) == 0);
    }
}

TEST_CASE("rule 4: when what must answer this node does not, nobody is accused") {
    World world;
    world.add("a", 20);
    world.out_after();
    world.ejections.note_control("the gateway");
    world.find("a0", Finding::failed);
    CHECK(world.out_after() == 0);
    CHECK(world.ejections.incident() == "the gateway does not answer this node");
    world.ejections.note_control("");
    CHECK(world.out_after(1s) == 0);
    CHECK(world.out_after(30s) == 1);
}

TEST_CASE("rule 5: at the start nobody is out before the first round is done, or a minute is over") {
    World world;
    world.find("a", Finding::unknown);
    world.find("b", Finding::unknown);
    CHECK(world.out_after() == 0);
    world.find("a", Finding::passes);
    world.find("a", Finding::failed);
    CHECK(world.out_after(10s) == 0);
    CHECK(world.ejections.spared("a") == "the first round of checks is not done");
    SECTION("the round is done") {
        world.find("b", Finding::passes);
        CHECK(world.out_after(1s) == 1);
    }
    SECTION("one that has not answered has gone") {
        world.ejections.remove("b");
        CHECK(world.out_after(1s) == 1);
    }
    SECTION("a minute is over") {
        CHECK(world.ejections.next() == world.now + 50s);
        CHECK(world.out_after(49s) == 0);
        CHECK(world.out_after(1s) == 1);
    }
    SECTION("one that comes later holds up nobody") {
        world.find("b", Finding::passes);
        world.find("c", Finding::unknown);
        CHECK(world.out_after(1s) == 1);
    }
}

TEST_CASE("rule 7: who goes in and out stays out for longer each time, and is forgiven with time") {
    World world;
    world.add("a", 3);
    world.out_after();
    const auto out_for = [&] {
        world.find("a0", Finding::failed);
        world.out_after(1s);
        REQUIRE(world.is_out("a0"));
        world.find("a0", Finding::passes);
        const Time since = world.now;
        world.out_after(1s);
        CHECK(world.ejections.of("a0")->passes);
        world.now = world.ejections.next().value();
        world.out_after();
        REQUIRE_FALSE(world.is_out("a0"));
        return std::chrono::duration_cast<std::chrono::seconds>(world.now - since);
    };
    CHECK(out_for() == 5s);
    CHECK(out_for() == 10s);
    CHECK(out_for() == 20s);
    CHECK(out_for() == 40s);
    CHECK(out_for() == 60s);
    CHECK(out_for() == 60s);
    world.out_after(2min);
    CHECK(out_for() == 60s);  // the sixth time, less two, and one more
    world.out_after(1h);
    CHECK(out_for() == 5s);
}

TEST_CASE("rule 7: one that is bad for long comes back at once when it passes") {
    World world;
    world.add("a", 3);
    world.out_after();
    world.fail("a", 1);
    CHECK(world.out_after() == 1);
    CHECK(world.out_after(10min) == 1);
    world.find("a0", Finding::passes);
    CHECK(world.out_after() == 0);
}

TEST_CASE("one of which nothing is known any more is in") {
    World world;
    world.add("a", 3);
    world.out_after();
    world.fail("a", 1);
    CHECK(world.out_after() == 1);
    world.find("a0", Finding::unknown);
    CHECK(world.out_after() == 0);
}
