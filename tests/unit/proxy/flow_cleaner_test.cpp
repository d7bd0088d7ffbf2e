// How stale entries of a table that changes meanwhile are found.
#include "proxy/sync/flow_cleaner.hpp"

#include <catch2/catch.hpp>

#include "build.hpp"

using namespace proxy;

namespace {

netlink::Flow flow(std::uint16_t client_port) {
    return {{build::address("10.1.0.4"), client_port},
            {build::address("10.96.0.10"), netlink::Protocol::udp, 53},
            {build::address("10.1.0.11"), 53},
            0,
            std::nullopt};
}

/// A table of which each look shows what the test says; entries with an even port are stale.
struct World {
    struct Look {
        std::vector<std::uint16_t> shown;
        bool whole = true;
    };
    std::vector<Look> looks;
    std::size_t next = 0;
    std::vector<std::uint16_t> removed;

    std::size_t clean() {
        return remove_stale({[this](const auto& visit) {
                                 REQUIRE(next < looks.size());
                                 for (const std::uint16_t port : looks[next].shown)
                                     visit(flow(port));
                                 return looks[next++].whole;
                             },
                             [this](std::span<const netlink::Flow> flows) {
                                 for (const auto& one : flows)
                                     removed.push_back(one.client.port);
                                 return flows.size();
                             }},
                            [](const netlink::Flow& one) { return one.client.port % 2 == 0; });
    }
};

}  // namespace

TEST_CASE("after an interrupted look at connection tracking it is looked again, at most three times") {
    using Ports = std::vector<std::uint16_t>;
    struct Row {
        const char* what;
        std::vector<World::Look> looks;
        Ports removed;
    };
    const Row rows[] = {
        {"one look is enough", {{{1, 2, 3, 4}}}, {2, 4}},
        {"the second look finds what the first has missed", {{{1, 2}, false}, {{1, 3, 4}}}, {2, 4}},
        {"interrupted before anything came", {{{}, false}, {{2}}}, {2}},
        {"a table that never stands still", {{{2}, false}, {{4}, false}, {{6}, false}}, {2, 4, 6}},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        World world{row.looks};
        CHECK(world.clean() == row.removed.size());
        CHECK(world.removed == row.removed);
        CHECK(world.next == row.looks.size());
    }
}
