// Who leads.
#include "proxy/controller/elector.hpp"

#include <catch2/catch.hpp>

using namespace proxy;
using namespace std::chrono_literals;
using Step = Elector::Step;

namespace {

const Elector::Time start{1h};

LeaseRecord held_by(const std::string& holder, const std::string& version, std::chrono::seconds duration = 15s) {
    return {version, holder, duration, {}, 3, {}};
}

Elector leader() {
    Elector elector("me");
    elector.note_read(std::nullopt, start, 0);
    elector.note_written(held_by("me", "1"), start);
    return elector;
}

}  // namespace

TEST_CASE("a Lease that there is not is created") {
    Elector elector("me");
    CHECK(elector.step(start) == Step::read);
    elector.note_read(std::nullopt, start, 0);
    CHECK(elector.step(start) == Step::create);
    CHECK_FALSE(elector.leads());
    elector.note_written(held_by("me", "1"), start);
    CHECK(elector.leads());
    CHECK(elector.step(start + 1s) == Step::wait);
    CHECK(elector.next_moment() == start + 2s);
    CHECK(elector.step(start + 2s) == Step::write);
}

TEST_CASE("a Lease of somebody else is taken when it has not changed for its duration") {
    Elector elector("me");
    elector.note_read(held_by("other", "1"), start, 0.5);
    CHECK(elector.step(start) == Step::wait);
    CHECK(elector.next_moment() == start + 3200ms);  // 2 s and half of 1.2 times that
    CHECK(elector.step(start + 4s) == Step::read);
    elector.note_read(held_by("other", "1"), start + 4s, 0);
    CHECK(elector.next_moment() == start + 6s);
    SECTION("it stays so") {
        elector.note_read(held_by("other", "1"), start + 14s, 0);
        CHECK(elector.step(start + 15s) == Step::wait);
        CHECK(elector.step(start + 16s) == Step::write);
        elector.note_conflict();  // another one was faster
        CHECK(elector.step(start + 16s) == Step::read);
        elector.note_read(held_by("third", "2"), start + 16s, 0);
        CHECK(elector.step(start + 16s) == Step::wait);
        CHECK(elector.step(start + 30s) == Step::read);
    }
    SECTION("it is renewed") {
        elector.note_read(held_by("other", "2"), start + 14s, 0);
        CHECK(elector.step(start + 16s) == Step::read);
        elector.note_read(held_by("other", "2"), start + 29s, 0);
        CHECK(elector.step(start + 29s) == Step::write);
    }
    SECTION("it is released") {
        elector.note_read(held_by("", "2", 1s), start + 5s, 0);
        CHECK(elector.step(start + 5s + 1ms) == Step::wait);  // when it would have asked anyhow
        CHECK(elector.step(start + 6s) == Step::write);
    }
    SECTION("it is deleted") {
        elector.note_read(std::nullopt, start + 6s, 0);
        CHECK(elector.step(start + 6s) == Step::create);
    }
}

TEST_CASE("an own Lease of an earlier life is taken at once") {
    Elector elector("me");
    elector.note_read(held_by("me", "9"), start, 0);
    CHECK(elector.step(start) == Step::write);
}

TEST_CASE("whoever cannot renew its Lease leads no longer, before others may take it") {
    Elector elector = leader();
    elector.note_failure(start + 2s, 0.9);
    CHECK(elector.next_moment() == start + 4s);
    CHECK(elector.step(start + 4s) == Step::read);
    elector.note_failure(start + 9s, 0.9);
    CHECK(elector.next_moment() == start + 10s);
    CHECK(elector.step(start + 9999ms) == Step::wait);
    CHECK(elector.step(start + 10s) == Step::lost);
}

TEST_CASE("a leader whose write was answered by nobody finds out whether it has arrived") {
    Elector elector = leader();
    elector.note_failure(start + 2s, 0);
    CHECK(elector.step(start + 4s) == Step::read);
    SECTION("it has") {
        elector.note_read(held_by("me", "2"), start + 4s, 0);
        CHECK(elector.step(start + 4s) == Step::write);
        CHECK(elector.record()->version == "2");
    }
    SECTION("somebody else has taken it") {
        elector.note_read(held_by("other", "3"), start + 4s, 0);
        CHECK(elector.step(start + 4s) == Step::lost);
    }
    SECTION("it is gone") {
        elector.note_read(std::nullopt, start + 4s, 0);
        CHECK(elector.step(start + 4s) == Step::lost);
    }
}

TEST_CASE("what is to be written now is not put off") {
    Elector elector = leader();
    CHECK(elector.step(start + 100ms) == Step::wait);
    elector.hurry();
    CHECK(elector.step(start + 100ms) == Step::write);
    Elector follower("me");
    follower.note_read(held_by("other", "1"), start, 0);
    follower.hurry();
    CHECK(follower.step(start) == Step::wait);
}
