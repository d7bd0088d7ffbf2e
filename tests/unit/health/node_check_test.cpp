// When a node that is silent is suspected, and when it is dead: rows, and thousands of deaths and losses on a clock
// that jumps.
#include "health/guard/node_check.hpp"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <functional>
#include <random>

using namespace health;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

const Time start = Time{} + 1h;

/// A node that is asked, on a clock that jumps; what is not lost is answered within a millisecond.
struct World {
    using Answers = std::function<bool(NodeCheck::Path path, milliseconds at)>;

    NodeCheck check;
    Answers answers;
    std::vector<std::pair<milliseconds, NodeLife>> lives;  // each change
    std::size_t asked[2] = {0, 0};

    World(Answers with, double jitter) : check({}, start, jitter), answers(std::move(with)) {}

    void run(milliseconds until) {
        for (Time now = check.next(); now < start + until; now = check.next()) {
            const auto at = std::chrono::duration_cast<milliseconds>(now - start);
            for (const NodeCheck::Path path : check.ask(now)) {
                ++asked[static_cast<std::size_t>(path)];
                if (answers(path, at))
                    check.answered(path, now);
            }
            if (check.review(now))
                lives.emplace_back(at, check.life());
        }
    }
    /// When it first had that life after `from`; -1: never.
    milliseconds first(NodeLife life, milliseconds from = 0ms) const {
        for (const auto& [at, is] : lives)
            if (at >= from && is == life)
                return at - from;
        return -1ms;
    }
    bool ever(NodeLife life) const { return first(life) >= 0ms; }
};

bool is_first(NodeCheck::Path path) {
    return path == NodeCheck::Path::first;
}

}  // namespace

TEST_CASE("what a node's silence comes to") {
    struct Row {
        const char* what;
        World::Answers answers;
        NodeLife after;  // 20 s
        bool suspected;
        bool died;
    };
    const auto row = GENERATE(values<Row>({
        {"it answers", [](auto, auto) { return true; }, NodeLife::alive, false, false},
        {"it never answered", [](auto, auto) { return false; }, NodeLife::unknown, false, false},
        {"both paths fall silent", [](auto, milliseconds at) { return at < 5s; }, NodeLife::dead, true, true},
        {"the first one only: its path is broken",
         [](auto path, milliseconds at) { return !is_first(path) || at < 5s; }, NodeLife::alive, false, false},
        {"the second one only", [](auto path, milliseconds at) { return is_first(path) || at < 5s; }, NodeLife::alive,
         false, false},
        {"a second path that never answered cannot accuse",
         [](auto path, milliseconds at) { return is_first(path) && at < 5s; }, NodeLife::suspect, true, false},
        {"silent for 0.8 s, as in a live migration", [](auto, milliseconds at) { return at < 5s || at >= 5800ms; },
         NodeLife::alive, false, false},
        {"silent for 2 s", [](auto, milliseconds at) { return at < 5s || at >= 7s; }, NodeLife::alive, true, false},
        {"silent for 5 s", [](auto, milliseconds at) { return at < 5s || at >= 10s; }, NodeLife::alive, true, true},
        {"every second question is lost",
         [n = std::array{0, 0}](auto path, auto) mutable { return ++n[static_cast<std::size_t>(path)] % 2 == 0; },
         NodeLife::alive, false, false},
    }));
    CAPTURE(row.what);
    for (double jitter = 0; jitter < 1; jitter += 0.05) {
        World world(row.answers, jitter);
        world.run(20s);
        CHECK(world.check.life() == row.after);
        CHECK(world.ever(NodeLife::suspect) == row.suspected);
        CHECK(world.ever(NodeLife::dead) == row.died);
    }
}

TEST_CASE("one that was dead is used again after two answers, a suspect after one") {
    World dead([](auto, milliseconds at) { return at < 5s || at >= 30s; }, 0);
    dead.run(40s);
    CHECK(dead.first(NodeLife::alive, 30s) >= 500ms);
    CHECK(dead.first(NodeLife::alive, 30s) <= 1s);
    World suspect([](auto, milliseconds at) { return at < 5s || at >= 7s; }, 0);
    suspect.run(10s);
    CHECK(suspect.first(NodeLife::alive, 7s) <= 100ms);
}

TEST_CASE("that this node cannot ask accuses nobody") {
    NodeCheck check({}, start, 0);
    for (Time now = check.next(); now < start + 20s; now = check.next()) {
        for (const NodeCheck::Path path : check.ask(now))
            if (now < start + 5s)
                check.answered(path, now);
            else
                check.not_asked(path, now);
        check.review(now);
        REQUIRE(check.life() == NodeLife::alive);
    }
}

TEST_CASE("why, in words") {
    NodeCheck check({}, start, 0);
    for (Time now = check.next(); now < start + 20s && check.life() != NodeLife::suspect; now = check.next()) {
        for (const NodeCheck::Path path : check.ask(now))
            if (now < start + 5s)
                check.answered(path, now);
        check.review(now);
    }
    CHECK(check.why(start + 6200ms) == "no answer for 1.2 s (10 questions)");
}

TEST_CASE("a thousand deaths at any moment: suspected and dead in time") {
    std::mt19937 random(1);
    std::vector<milliseconds> suspected;
    std::vector<milliseconds> dead;
    for (int i = 0; i < 1000; ++i) {
        const milliseconds death(20'000 + static_cast<int>(random() % 10'000));
        World world([&](auto, milliseconds at) { return at < death; }, static_cast<double>(random() % 1000) / 1000);
        world.run(40s);
        suspected.push_back(world.first(NodeLife::suspect, death));
        dead.push_back(world.first(NodeLife::dead, death));
    }
    std::sort(suspected.begin(), suspected.end());
    std::sort(dead.begin(), dead.end());
    CHECK(suspected.front() >= 1s);
    CHECK(suspected[500] <= 1500ms);
    CHECK(suspected.back() <= 1700ms);
    CHECK(dead.front() >= 3s);
    CHECK(dead.back() <= 4s);
}

TEST_CASE("loss in bursts, one percent in all, kills nobody") {
    std::mt19937 random(2);
    const auto chance = [&](double p) { return std::uniform_real_distribution<double>(0, 1)(random) < p; };
    std::size_t suspicions = 0;
    for (int node = 0; node < 100; ++node) {
        // In a burst, of a tenth of a second in the mean, nine of ten are lost.
        milliseconds until{0};
        milliseconds next{0};
        const auto lost = [&](milliseconds at) {
            while (at >= next) {
                const auto draw = [&](double mean) {
                    return milliseconds(1 + static_cast<int>(std::exponential_distribution<double>(1 / mean)(random)));
                };
                until = next + draw(100);
                next = until + draw(9'000);
            }
            return at < until && chance(0.9);
        };
        World world([&](auto, milliseconds at) { return !lost(at); }, static_cast<double>(random() % 1000) / 1000);
        world.run(1h);
        CHECK_FALSE(world.ever(NodeLife::dead));
        suspicions += static_cast<std::size_t>(std::count_if(
            world.lives.begin(), world.lives.end(), [](const auto& life) { return life.second == NodeLife::suspect; }));
        CHECK(world.asked[1] < 2'000);  // the second path is asked rarely
    }
    CHECK(suspicions <= 2);  // in a hundred hours
}
