// Who of several Services gets a front end.
#include "proxy/engine/claims.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/proxy/build.hpp"

using namespace proxy;
using Outcome = Claims::Outcome;

namespace {

const netlink::VirtualServer front{build::address("203.0.113.7"), netlink::Protocol::tcp, 80};

api::ObjectName name(const std::string& service) {
    return {"shop", service};
}

Claim external(std::uint64_t round) {
    return {FrontEndKind::external_ip, {{}, round}};
}

}  // namespace

TEST_CASE("the first that claims a front end has it, and one that comes before takes it") {
    Claims claims;
    CHECK(claims.claim(front, name("young"), external(2)) == Outcome::has);
    CHECK(claims.exchange_changed().empty());
    CHECK_FALSE(claims.any_contested());
    CHECK(claims.claim(front, name("younger"), external(3)) == Outcome::waits);
    CHECK(*claims.waits_for(front, name("younger")) == name("young"));
    CHECK(claims.waits_for(front, name("young")) == nullptr);
    CHECK(claims.exchange_unsettled().empty());
    CHECK(claims.will_have(front, name("old"), external(1)));
    CHECK_FALSE(claims.will_have(front, name("youngest"), external(4)));
    CHECK(claims.claim(front, name("old"), external(1)) == Outcome::has);
    CHECK(claims.has(name("old"), front));
    CHECK(claims.exchange_unsettled() == std::set{name("young")});
    CHECK(claims.conflict_count() == 2);
    CHECK(claims.conflicts_of(front).size() == 2);
    CHECK(claims.exchange_changed() == std::set{front});
}

TEST_CASE("who has a front end and gives it up leaves it to the first that waits") {
    Claims claims;
    claims.claim(front, name("old"), external(1));
    claims.claim(front, name("young"), external(2));
    claims.claim(front, name("younger"), external(3));
    CHECK_FALSE(claims.withdraw(front, name("younger")));
    CHECK(claims.withdraw(front, name("old")));
    CHECK(claims.owner(front) == nullptr);
    CHECK(claims.conflicts().empty());
    CHECK(claims.exchange_unsettled() == std::set{name("young")});
    CHECK(claims.claim(front, name("young"), external(2)) == Outcome::has);
    CHECK_FALSE(claims.any_contested());
    CHECK(claims.withdraw(front, name("young")));
    CHECK(claims.exchange_unsettled().empty());
}

TEST_CASE("who has a front end and claims it as less than another one loses it to that one") {
    Claims claims;
    claims.claim(front, name("a"), {FrontEndKind::load_balancer, {{}, 1}});
    claims.claim(front, name("b"), external(2));
    CHECK(claims.claim(front, name("b"), {FrontEndKind::cluster_ip, {{}, 2}}) == Outcome::has);
    CHECK(claims.exchange_unsettled() == std::set{name("a")});
    CHECK(claims.claim(front, name("a"), {FrontEndKind::load_balancer, {{}, 1}}) == Outcome::waits);
    CHECK(claims.claim(front, name("b"), external(2)) == Outcome::vacated);
    CHECK(claims.owner(front) == nullptr);
    CHECK(claims.exchange_unsettled() == std::set{name("a")});
    CHECK(claims.claim(front, name("a"), {FrontEndKind::load_balancer, {{}, 1}}) == Outcome::has);
    CHECK(claims.conflict_count() == 1);
}
