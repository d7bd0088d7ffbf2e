// On which ways a node is asked where firewalls close some.
#include "health/guard/node_ways.hpp"

#include <catch2/catch.hpp>
#include <set>

using namespace health;
using namespace std::chrono_literals;
using Path = NodeCheck::Path;

namespace {

const Time start = Time{} + 1h;

/// A node that answers on some ways only.
struct World {
    NodeCheck check{{}, start, 0};
    NodeWays ways{{Way{0}, Way{10256}, Way{10249}, Way{10250}}};
    std::set<int> open;
    std::size_t asked = 0;
    bool ever_suspect = false;

    explicit World(std::set<int> ports) : open(std::move(ports)) {}

    void run(std::chrono::milliseconds until) {
        for (Time now = check.next(); now < start + until; now = check.next()) {
            for (const Path path : check.ask(now)) {
                ++asked;
                if (open.contains(ways.of(path).port))
                    check.answered(path, now);
            }
            check.review(now);
            ways.follow(check, now);
            ever_suspect = ever_suspect || check.life() == NodeLife::suspect || check.life() == NodeLife::dead;
        }
    }
};

}  // namespace

TEST_CASE("a node is asked on two ways that are open") {
    struct Row {
        std::set<int> open;
        int first;
        int second;
    };
    const auto row = GENERATE(values<Row>({{{0, 10256, 10249, 10250}, 0, 10256},
                                           {{0, 10250}, 0, 10250},
                                           {{10256, 10249}, 10256, 10249},
                                           {{10249, 10250}, 10249, 10250},
                                           {{10250, 10256}, 10256, 10250}}));
    CAPTURE(row.first, row.second);
    World world(row.open);
    world.run(60s);
    CHECK(world.ways.of(Path::first).port == row.first);
    CHECK(world.ways.of(Path::second).port == row.second);
    CHECK(world.check.life() == NodeLife::alive);
    CHECK_FALSE(world.ever_suspect);
}

TEST_CASE("a node with one open way is alive by it, and can be suspect but not dead") {
    const int only = GENERATE(0, 10256, 10249, 10250);
    CAPTURE(only);
    World world({only});
    world.run(5min);
    CHECK(world.ways.of(Path::first).port == only);
    CHECK(world.check.life() == NodeLife::alive);
    CHECK_FALSE(world.ever_suspect);
    world.open.clear();
    world.run(6min);
    CHECK(world.check.life() == NodeLife::suspect);
}

TEST_CASE("a node without an open way is asked rarely, and nothing is said of it") {
    World world({});
    world.run(1h);
    CHECK(world.check.life() == NodeLife::unknown);
    CHECK(world.asked < 2 * 3600 / 10 + 100);
}

TEST_CASE("a way that a firewall closes later is left, and the node stays alive") {
    World world({0, 10256, 10249});
    world.run(30s);
    REQUIRE(world.ways.of(Path::first).port == 0);
    world.open.erase(0);
    world.run(90s);
    CHECK(world.ways.of(Path::first).port == 10256);
    CHECK(world.ways.of(Path::second).port == 10249);
    CHECK(world.check.life() == NodeLife::alive);
    CHECK_FALSE(world.ever_suspect);
    const std::size_t before = world.asked;
    world.run(190s);
    CHECK(world.asked - before < 2 * 100 + 20);  // not fast for good
}

TEST_CASE("a second way that has been silent for long is no witness for a death") {
    World world({0, 10256});
    world.run(30s);
    world.open.erase(10256);
    world.run(10min);
    REQUIRE(world.check.life() == NodeLife::alive);
    world.open.clear();
    world.run(11min);
    CHECK(world.check.life() == NodeLife::suspect);
}
