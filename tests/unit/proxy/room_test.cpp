// Who has how much of what is bounded for the whole node.
#include "proxy/plan/room.hpp"

#include <catch2/catch.hpp>
#include <random>

using namespace proxy;

namespace {

Age created(int second) {
    return {std::chrono::sys_seconds(std::chrono::seconds(second)), 0};
}

api::ObjectName named(int number) {
    return {"shop", "s" + std::to_string(number)};
}

}  // namespace

TEST_CASE("the oldest have what they want, the next what is left, the youngest wait") {
    Room room(10);
    CHECK(room.want({"shop", "b"}, created(2), 6) == 6);
    CHECK(room.want({"shop", "c"}, created(3), 6) == 4);
    CHECK(room.want({"shop", "d"}, created(4), 1) == 0);
    CHECK(room.exchange_changed().empty());
    CHECK(room.want({"shop", "a"}, created(1), 3) == 3);  // older: it takes from the youngest that has some
    CHECK(room.exchange_changed() == std::set<api::ObjectName>{{"shop", "c"}});
    CHECK(room.want({"shop", "c"}, created(3), 6) == 1);
    CHECK(room.want({"shop", "b"}, created(2), 0) == 0);
    CHECK(room.exchange_changed() == std::set<api::ObjectName>{{"shop", "c"}, {"shop", "d"}});
    CHECK(room.want({"shop", "c"}, created(3), 6) == 6);
    CHECK(room.want({"shop", "d"}, created(4), 1) == 1);
}

TEST_CASE("after any sequence the shares are by age, and whoever's has changed is told") {
    std::mt19937 random(3);
    constexpr std::uint64_t size = 50;
    Room room(size);
    std::map<int, std::uint64_t> wanted;  // by age, which is the number
    std::map<int, std::uint64_t> had;
    for (int step = 0; step < 20'000; ++step) {
        const int who = static_cast<int>(random() % 12) + 1;
        const std::uint64_t amount = random() % 3 == 0 ? 0 : random() % 20;
        wanted[who] = amount;
        const std::uint64_t given = room.want(named(who), created(who), amount);
        const auto changed = room.exchange_changed();
        std::uint64_t left = size;
        bool short_of = false;
        for (const auto& [number, wish] : wanted) {
            const std::uint64_t share = short_of ? 0 : std::min(wish, left);
            short_of = short_of || share < wish;
            left -= share;
            if (number == who)
                REQUIRE(given == share);
            else if (had[number] != share)
                REQUIRE(changed.contains(named(number)));
            had[number] = share;
        }
    }
}

TEST_CASE("who waits does not make others be planned again") {
    Room room(10);
    room.want(named(1), created(1), 8);
    room.want(named(2), created(2), 8);
    room.exchange_changed();
    for (int i = 3; i < 1000; ++i) {
        CHECK(room.want(named(i), created(i), 5) == 0);
        CHECK(room.exchange_changed().empty());
        CHECK(room.want(named(i), created(i), 5) == 0);
        CHECK(room.exchange_changed().empty());
    }
}

TEST_CASE("a few enormous Services take nothing from ordinary ones, not from younger ones either") {
    NodeRoom room({4096, 1'000'000});
    std::uint64_t enormous = 0;
    for (int i = 0; i < 20; ++i)
        enormous += room.want({"greedy", std::to_string(i)}, created(1), {4096, 0}).front_ends;
    CHECK(enormous == 20 * 64 + 1024);
    for (int i = 0; i < 140; ++i)
        CHECK(room.want(named(i), created(2), {12, 60}) == Cost{12, 60});
    room.exchange_changed();
    // As soon as one goes, another one has more.
    room.want({"greedy", "0"}, created(1), {});
    CHECK(room.exchange_changed() == std::set<api::ObjectName>{{"greedy", "1"}});
    CHECK(room.want({"greedy", "1"}, created(1), {4096, 0}).front_ends == 64 + 1024);
}

TEST_CASE("as long as there is room for all, nobody is told of anything") {
    NodeRoom room({4096, 1'000'000});
    CHECK(room.want(named(1), created(1), {100, 5'000}) == Cost{100, 5'000});
    CHECK(room.want(named(2), created(2), {900, 5'000}) == Cost{900, 5'000});
    CHECK(room.exchange_changed().empty());
    CHECK(room.want(named(3), created(3), {2'000, 0}) == Cost{64 + 1024 - 36 - 836, 0});
    CHECK(room.want(named(1), created(1), {}) == Cost{});
    CHECK(room.exchange_changed() == std::set<api::ObjectName>{named(3)});
    CHECK(room.want(named(3), created(3), {2'000, 0}) == Cost{64 + 1024 - 836, 0});
    CHECK(room.want(named(2), created(2), {}) == Cost{});
    CHECK(room.exchange_changed() == std::set<api::ObjectName>{named(3)});
    CHECK(room.want(named(3), created(3), {500, 0}) == Cost{500, 0});
    CHECK(room.want(named(2), created(2), {500, 0}) == Cost{500, 0});
    CHECK(room.exchange_changed().empty());
}
