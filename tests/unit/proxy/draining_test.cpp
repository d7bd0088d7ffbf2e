// What drains, and for how long.
#include "proxy/engine/draining.hpp"

#include <catch2/catch.hpp>

#include "build.hpp"

using namespace proxy;
using namespace std::chrono_literals;
using netlink::Protocol;

namespace {

const netlink::VirtualServer web{build::address("10.96.0.5"), Protocol::tcp, 80};
const netlink::RealServer pod1{build::address("10.1.0.11"), 8080};
const netlink::RealServer pod2{build::address("10.1.0.12"), 8080};

struct World {
    Draining draining{300s};
    netlink::RealServers now_there{{pod1, 1}, {pod2, 1}};
    Time now{1h};

    /// pod1 leaves, or goes on to be away, in that way.
    void leaves(Departure how) {
        netlink::RealServers wanted{{pod2, 1}};
        draining.keep(web, now_there, [&](const auto&) { return how; }, wanted);
        now_there = wanted;
        look(1);
    }
    void comes_back() {
        netlink::RealServers wanted{{pod1, 1}, {pod2, 1}};
        draining.keep(web, now_there, [](const auto&) { return Departure::vanished; }, wanted);
        now_there = wanted;
    }
    void look(std::uint64_t connections) {
        for (const auto& [server, real] : draining.review(now, {{web, {{pod1, connections}, {pod2, 9}}}}))
            now_there.erase(real);
    }
    /// "1" while pod1 is in use, "0" while it drains, "-" when it is gone.
    std::string pod1_after(std::chrono::milliseconds time, std::uint64_t connections) {
        now += time;
        look(connections);
        const auto found = now_there.find(pod1);
        return found == now_there.end() ? "-" : std::to_string(found->second);
    }
};

}  // namespace

TEST_CASE("a real server that leaves keeps its connections as long as its endpoint's fate allows") {
    struct Row {
        const char* what;
        Departure how;
        std::chrono::milliseconds after;
        std::uint64_t connections;
        const char* state;
    };
    const auto row = GENERATE(Row{"listed, with connections: for ever", Departure::listed, 24h, 1, "0"},
                              Row{"listed, without: gone", Departure::listed, 1s, 0, "-"},
                              Row{"without connections, too early to say", Departure::listed, 999ms, 0, "0"},
                              Row{"vanished, with connections: until the timeout", Departure::vanished, 299s, 1, "0"},
                              Row{"vanished, with connections: no longer", Departure::vanished, 300s, 1, "-"},
                              Row{"vanished, without: gone", Departure::vanished, 1s, 0, "-"},
                              Row{"ended: its address may move between slices", Departure::ended, 999ms, 1, "0"},
                              Row{"ended: its clients hear of it", Departure::ended, 1s, 1, "-"});
    World world;
    world.leaves(row.how);
    CAPTURE(row.what);
    CHECK(world.pod1_after(row.after, row.connections) == row.state);
    CHECK(world.draining.empty() == (std::string(row.state) == "-"));
}

TEST_CASE("time counts anew when what is terminating has ended, and not for what was known") {
    World world;
    world.leaves(Departure::listed);
    CHECK(world.pod1_after(1h, 1) == "0");
    world.leaves(Departure::ended);
    CHECK(world.pod1_after(999ms, 1) == "0");
    world.leaves(Departure::vanished);  // another change of the Service: what has ended has ended
    CHECK(world.pod1_after(1ms, 1) == "-");

    World other;
    other.leaves(Departure::vanished);
    CHECK(other.pod1_after(200s, 1) == "0");
    other.leaves(Departure::vanished);
    CHECK(other.pod1_after(100s, 1) == "-");
}

TEST_CASE("one that returns has its weight again, and drains anew when it leaves again") {
    World world;
    world.leaves(Departure::vanished);
    CHECK(world.pod1_after(299s, 1) == "0");
    world.comes_back();
    CHECK(world.draining.empty());
    CHECK(world.pod1_after(1h, 0) == "1");
    world.leaves(Departure::vanished);
    CHECK(world.pod1_after(299s, 1) == "0");
}

TEST_CASE("without a count nothing is known to have drained; what is not in the kernel has") {
    World world;
    world.leaves(Departure::listed);
    CHECK(world.draining.review(world.now + 1h, {}).empty());
    CHECK(world.draining.review(world.now + 1h, {{web, {{pod2, 1}}}}).size() == 1);
}

TEST_CASE("virtual servers are counted in turn") {
    Draining draining(300s);
    std::vector<netlink::VirtualServer> servers;
    for (std::uint16_t port = 1; port <= 5; ++port) {
        netlink::RealServers wanted;
        servers.push_back({web.address, Protocol::tcp, port});
        draining.keep(servers.back(), {{pod1, 1}}, [](const auto&) { return Departure::listed; }, wanted);
    }
    const auto some = [&](std::initializer_list<int> ports) {
        std::vector<netlink::VirtualServer> chosen;
        for (const int port : ports)
            chosen.push_back(servers[static_cast<std::size_t>(port - 1)]);
        return chosen;
    };
    CHECK(draining.next(2) == some({1, 2}));
    CHECK(draining.next(2) == some({3, 4}));
    draining.forget(servers[0]);
    CHECK(draining.next(2) == some({5, 2}));
    CHECK(draining.next(9) == some({3, 4, 5, 2}));
    CHECK(Draining(300s).next(9).empty());
}
