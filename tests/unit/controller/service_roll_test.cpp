// Which word of a Service counts.
#include "proxy/controller/service_roll.hpp"

#include <catch2/catch.hpp>

#include "controller_world.hpp"

using namespace proxy;
using namespace std::chrono_literals;

namespace {

BalancedServicePtr service(const std::string& name, const std::string& version, const std::string& uid = "u") {
    api::BalancedService one = world::make(name);
    one.version = version;
    one.uid = uid;
    return std::make_shared<const api::BalancedService>(std::move(one));
}

const ServiceRoll::Time start{1h};

}  // namespace

TEST_CASE("the answer to a write is newer than what the watch still has to tell") {
    ServiceRoll roll;
    roll.put(service("a", "9"));
    CHECK(roll.note_answer(service("a", "11")));
    CHECK_FALSE(roll.put(service("a", "10")));
    CHECK(roll.list({service("a", "10")}, start).empty());
    CHECK_FALSE(roll.put(service("a", "10")));
    CHECK(roll.find({"shop", "a"})->version == "11");
    CHECK_FALSE(roll.put(service("a", "11")));
    CHECK(roll.put(service("a", "12")));
    CHECK_FALSE(roll.note_answer(service("a", "11")));
    CHECK(roll.put(service("a", "3")));  // etcd was restored: the watch is right
}

TEST_CASE("an answer brings nothing back that is gone, nor what has its name now") {
    ServiceRoll roll;
    CHECK_FALSE(roll.note_answer(service("a", "11")));
    roll.put(service("a", "20", "new"));
    CHECK_FALSE(roll.note_answer(service("a", "21", "old")));
}

TEST_CASE("a list that suddenly lacks most Services is not believed at once") {
    ServiceRoll roll;
    std::vector<BalancedServicePtr> all;
    for (int i = 0; i < 12; ++i)
        all.push_back(service("s" + std::to_string(i), "1"));
    roll.list(all, start);
    CHECK(roll.list({all[0]}, start).empty());
    CHECK(roll.held() == 11);
    CHECK(roll.due() == start + ServiceRoll::hold);
    CHECK(roll.release(start + 1min).empty());
    SECTION("they come back") {
        roll.list(all, start + 1min);
        CHECK(roll.held() == 0);
        CHECK_FALSE(roll.due());
    }
    SECTION("they do not") {
        CHECK(roll.release(start + ServiceRoll::hold).size() == 11);
        CHECK(roll.size() == 1);
    }
    SECTION("an event says that one is gone") {
        CHECK(roll.remove({"shop", "s3"}));
        CHECK(roll.size() == 11);
    }
}

TEST_CASE("versions are compared as numbers") {
    CHECK(is_older("9", "10"));
    CHECK_FALSE(is_older("10", "9"));
    CHECK_FALSE(is_older("10", "10"));
    CHECK_FALSE(is_older("a", "10"));
    CHECK_FALSE(is_older("", "10"));
    CHECK_FALSE(is_older("09", "10"));
}
