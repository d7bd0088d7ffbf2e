// Who may keep podferry from starting, and who may not.
#include "proxy/host/namespace_lock.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>

using namespace proxy;

TEST_CASE("only what can be a podferry is believed to be one") {
    struct Row {
        const char* what;
        LockHolder holder;
        bool believed;
    };
    constexpr uid_t ours = 123;
    const Row rows[] = {
        {"root with the capability", {0, 7, true, "podferry"}, true},
        {"our user with the capability", {ours, 7, true, "podferry"}, true},
        {"another user", {1000, 7, true, "podferry"}, false},
        {"root without the capability", {0, 7, false, "podferry"}, false},
        {"our user without the capability", {ours, 7, false, "podferry"}, false},
        {"root of another container", {0, 0, std::nullopt, ""}, true},
        {"a user of another container", {1000, 0, std::nullopt, ""}, false},
        {"a user of another user namespace", {65534, 0, std::nullopt, ""}, false},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        CHECK(may_be_podferry(row.holder, ours) == row.believed);
    }
    CHECK(refusal(rows[0].holder) ==
          "another podferry runs in this network namespace (process 7 podferry, user 0): two would undo each other's "
          "work, "
          "whatever their state_dir; stop it first");
}

TEST_CASE("the kernel tells who may administer the network") {
    const auto row = GENERATE(values<std::pair<std::string, std::optional<bool>>>({
        {"Name:\tpodferry\nCapPrm:\t0000000000000000\nCapEff:\t0000000000001000\n", true},
        {"Name:\tpodferry\nCapPrm:\t0000000000001000\nCapEff:\t0000000000000fff\n", false},
        {"Name:\tCapEff:\t0000000000001000\n", std::nullopt},
        {"Name:\tx\nCapEff:\tall\n", std::nullopt},
        {"Name:\tx\nCapEff:\t", std::nullopt},
        {"", std::nullopt},
    }));
    CAPTURE(row.first);
    CHECK(administers_network(row.first) == row.second);
}

TEST_CASE("the lock of a namespace is had once, and again when it has been given back") {
    const std::string name = "podferry.io/test-" + std::to_string(::getpid());
    {
        const auto first = NamespaceLock::acquire(name);
        REQUIRE(first);
        CHECK(first->warning().empty());
        const auto second = NamespaceLock::acquire(name);
        // Refused where the tests may administer the network, and not believed where they may not.
        CHECK((second ? second->warning() : second.error()).find("process " + std::to_string(::getpid())) !=
              std::string::npos);
    }
    const auto third = NamespaceLock::acquire(name);
    REQUIRE(third);
    CHECK(third->warning().empty());
}
