// Lists and events of one resource become changes.
#include "api/cluster/object_set.hpp"

#include <catch2/catch.hpp>

using namespace api;
using namespace std::chrono_literals;

namespace {

const ObjectSet::Time start = ObjectSet::Time() + 1h;

WireObject object(const std::string& name, const std::string& version = "1") {
    Service service;
    service.name = {"n", name};
    return {service.name, version, "Service n/" + name, {service}, {}};
}

WireObject bad(const std::string& name, const std::string& version) {
    return {
        {"n", name}, version, "Service n/" + name, {}, {{{Step("spec")}, "must be an object, not a string", false}}};
}

std::vector<WireObject> objects(int count) {
    std::vector<WireObject> all;
    for (int i = 0; i < count; ++i)
        all.push_back(object("s" + std::to_string(i)));
    return all;
}

WatchEvent event(EventType type, WireObject object) {
    WatchEvent e;
    e.type = type;
    e.object = std::move(object);
    return e;
}

/// "+a -b": upserts and removals.
std::string text(const Transaction& changes) {
    std::string result;
    for (const Upsert& upsert : changes.upserts)
        result += "+" + std::get<Service>(upsert.object).name.name + " ";
    for (const Removal& removal : changes.removals)
        result += "-" + removal.name.name + " ";
    return result.substr(0, result.empty() ? 0 : result.size() - 1);
}

struct World {
    ObjectSet set{Kind::service, "services", 5min};

    std::string list(std::vector<WireObject> all, ObjectSet::Time now = start) {
        Transaction changes;
        set.list(std::move(all), now, changes);
        return text(changes);
    }
    std::string events(std::vector<WatchEvent> all) {
        Transaction changes;
        set.events(std::move(all), changes);
        return text(changes);
    }
    std::string release(ObjectSet::Time now) {
        Transaction changes;
        set.release(now, changes);
        return text(changes);
    }
    std::vector<Problem> problems() const {
        std::vector<Problem> all;
        set.add_problems(all);
        return all;
    }
};

}  // namespace

TEST_CASE("a list after a gap says only what differs") {
    World world;
    CHECK(world.list({object("a"), object("b"), object("c")}) == "+a +b +c");
    CHECK(world.list({object("a"), object("b", "2"), object("d")}) == "+b +d -c");
}

TEST_CASE("events in one breath leave what the last one says") {
    World world;
    CHECK(world.events({event(EventType::added, object("a"))}) == "+a");
    CHECK(world.events({event(EventType::added, object("b")), event(EventType::deleted, object("b"))}) == "-b");
    CHECK(world.events({event(EventType::deleted, object("a")), event(EventType::added, object("a", "2"))}) == "+a -a");
    CHECK(world.events({event(EventType::deleted, object("unknown"))}).empty());
    CHECK(world.events({event(EventType::modified, object("a", "2"))}).empty());
}

TEST_CASE("an object that cannot be used is skipped and named; its last good version stays") {
    World world;
    CHECK(world.list({object("a"), bad("b", "1")}) == "+a");
    REQUIRE(world.problems().size() == 1);
    CHECK(to_string(world.problems()[0]) == "Service n/b: spec: must be an object, not a string");
    CHECK(world.events({event(EventType::modified, bad("a", "2"))}).empty());
    CHECK(world.problems().size() == 2);
    CHECK(world.events({event(EventType::modified, object("a", "3")), event(EventType::deleted, bad("b", "2"))}) ==
          "+a");
    CHECK(world.problems().empty());
}

TEST_CASE("of an object with many mistakes the first ten are told, and whether problems have changed") {
    World world;
    CHECK(world.list({object("a")}) == "+a");
    const auto before = world.set.problems_version();
    CHECK(world.events({event(EventType::modified, object("a", "2"))}) == "+a");
    CHECK(world.set.problems_version() == before);
    WireObject worst = bad("a", "3");
    worst.mistakes.assign(5000, worst.mistakes[0]);
    CHECK(world.events({event(EventType::modified, worst)}).empty());
    CHECK(world.set.problems_version() != before);
    REQUIRE(world.problems().size() == 11);
    CHECK(to_string(world.problems()[10]) == "Service n/a: 4990 more mistakes");
    const auto with = world.set.problems_version();
    CHECK(world.events({event(EventType::deleted, object("a", "4"))}) == "-a");
    CHECK(world.set.problems_version() != with);
    CHECK(world.problems().empty());
}

TEST_CASE("a list that suddenly lacks most objects is not believed at once") {
    World world;
    world.list(objects(11));
    CHECK(world.list({}).empty());
    CHECK(world.set.held() == 11);
    REQUIRE(world.problems().size() == 1);
    CHECK_THAT(world.problems()[0].message, Catch::Contains("suddenly lacks most"));
    CHECK(world.set.due() == start + 5min);
    // Asked again, the server says the same: the clock goes on.
    CHECK(world.list({}, start + 1min).empty());
    CHECK(world.set.due() == start + 5min);
    CHECK(world.release(start + 5min - 1ms).empty());
    // What comes back in between is there, and what is deleted by an event is gone.
    CHECK(world.events({event(EventType::added, object("s1")), event(EventType::deleted, object("s2"))}) == "-s2");
    CHECK(world.set.held() == 9);
    CHECK(world.release(start + 5min) == "-s0 -s10 -s3 -s4 -s5 -s6 -s7 -s8 -s9");
    CHECK(world.set.held() == 0);
    CHECK(world.problems().empty());
}

TEST_CASE("when all come back, nothing is held any more") {
    World world;
    world.list(objects(20));
    world.list({});
    CHECK(world.list(objects(20), start + 1min).empty());
    CHECK(world.set.held() == 0);
    CHECK_FALSE(world.set.due());
}

TEST_CASE("what is new does not make up for what is gone") {
    World world;
    world.list(objects(12));
    std::vector<WireObject> others;
    for (int i = 0; i < 30; ++i)
        others.push_back(object("new" + std::to_string(i)));
    CHECK(world.list(std::move(others)).find('-') == std::string::npos);
    CHECK(world.set.held() == 12);
}

TEST_CASE("few objects, and fewer than half of many, go at once") {
    World world;
    world.list(objects(10));
    CHECK(world.list({}).size() > 0);
    world.list(objects(20));
    CHECK(world.list(objects(10)) == "-s10 -s11 -s12 -s13 -s14 -s15 -s16 -s17 -s18 -s19");
    World trusting;
    trusting.set = ObjectSet(Kind::service, "services", 0ms);
    trusting.list(objects(30));
    CHECK(trusting.list({}).size() > 0);
}
