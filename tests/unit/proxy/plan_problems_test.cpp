// Of which Services the problems have changed.
#include "proxy/plan/plan_problems.hpp"

#include <catch2/catch.hpp>

using namespace proxy;

TEST_CASE("only Services whose problems have changed are told of, with what is new") {
    const api::ObjectName web{"shop", "web"};
    const api::ObjectName db{"shop", "db"};
    using Changed = std::map<api::ObjectName, PlanProblems::Texts>;
    PlanProblems problems;
    problems.put(web, {});
    CHECK(problems.exchange_changed().empty());
    problems.put(web, {"one"});
    problems.put(db, {"two"});
    CHECK(problems.exchange_changed() == Changed{{web, {"one"}}, {db, {"two"}}});
    problems.put(web, {"one"});
    CHECK(problems.exchange_changed().empty());
    problems.put(web, {"one", "three"});
    CHECK(problems.count() == 3);
    CHECK(problems.exchange_changed() == Changed{{web, {"three"}}});
    problems.put(web, {});
    problems.put(web, {"one", "three"});
    CHECK(problems.exchange_changed().empty());
    problems.put(web, {});
    CHECK(problems.exchange_changed() == Changed{{web, {}}});
    CHECK(problems.of(web).empty());
    CHECK(problems.all().size() == 1);
}
