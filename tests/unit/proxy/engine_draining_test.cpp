// What drains when Services, pods and verdicts change.
#include <catch2/catch.hpp>

#include "engine_world.hpp"

using namespace proxy;
using build::World;

namespace {

const char* const vip = "10.96.0.5";

/// A Service, created then, that wants the external address 203.0.113.9.
api::Service claimant(const std::string& name, const std::string& address, std::chrono::seconds created) {
    auto service = build::service(name, address);
    service.external_ips = {build::address("203.0.113.9")};
    service.created = api::Service{}.created + created;
    return service;
}

/// The slice of a Service without a selector, port 8080.
api::EndpointSlice slice_of(const std::string& service, const std::vector<api::Endpoint>& endpoints) {
    api::EndpointSlice slice;
    slice.name = {"shop", service + "-slice"};
    slice.service = service;
    slice.ports = {{"", api::Protocol::tcp, 8080}};
    slice.endpoints = endpoints;
    return slice;
}

api::Endpoint endpoint(const std::string& address, bool terminating = false) {
    api::Endpoint made;
    made.address = build::address(address);
    made.ready = !terminating;
    made.terminating = terminating;
    return made;
}

}  // namespace

TEST_CASE("how an endpoint left decides how long it drains") {
    auto leaving = build::pod("web", "web-1", "10.1.0.11", false);
    auto changed = leaving;
    leaving.terminating = true;
    changed.labels = {{"app", "debug"}};
    auto completed = leaving;
    completed.terminating = false;
    completed.phase = api::PodPhase::succeeded;
    struct Row {
        const char* what;
        std::vector<api::Transaction> changes;
        const char* after_a_second;
        const char* after_the_timeout;
    };
    const Row rows[] = {
        {"terminating", {build::transaction({leaving})}, "10.1.0.11=0 10.1.0.12=1", "10.1.0.11=0 10.1.0.12=1"},
        {"terminating, then gone",
         {build::transaction({leaving}), build::removal(api::Kind::pod, "web-1")},
         "10.1.0.12=1",
         "10.1.0.12=1"},
        {"gone", {build::removal(api::Kind::pod, "web-1")}, "10.1.0.12=1", "10.1.0.12=1"},
        {"completed", {build::transaction({completed})}, "10.1.0.12=1", "10.1.0.12=1"},
        {"label changed", {build::transaction({changed})}, "10.1.0.11=0 10.1.0.12=1", "10.1.0.12=1"},
        {"terminating, then its label changed",
         {build::transaction({leaving}), build::transaction({changed})},
         "10.1.0.12=1",
         "10.1.0.12=1"},
        {"label changed, then gone",
         {build::transaction({changed}), build::removal(api::Kind::pod, "web-1")},
         "10.1.0.12=1",
         "10.1.0.12=1"},
        {"back again",
         {build::transaction({changed}), build::transaction({build::pod("web", "web-1", "10.1.0.11", false)})},
         "10.1.0.11=1 10.1.0.12=1",
         "10.1.0.11=1 10.1.0.12=1"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        World world;
        world.apply(build::transaction({build::service("web", vip), build::pod("web", "web-1", "10.1.0.11", false),
                                        build::pod("web", "web-2", "10.1.0.12", false)}));
        for (const api::Transaction& change : row.changes)
            world.apply(change);
        world.engine.planner().review_draining(Time{}, {});
        world.engine.planner().review_draining(Time{} + std::chrono::seconds(1), {});
        CHECK(world.backends(vip) == row.after_a_second);
        world.engine.planner().review_draining(Time{} + std::chrono::minutes(5), {});
        CHECK(world.backends(vip) == row.after_the_timeout);
        world.apply(build::removal(api::Kind::service, "web"));
        CHECK(world.engine.draining().empty());
    }
}

TEST_CASE("what the kernel has at the start and nobody wants drains") {
    World world;
    world.real_servers = {{{build::address("10.1.0.11"), 8080}, 0}, {{build::address("10.1.0.12"), 8080}, 0}};
    world.apply(build::transaction({build::service("web", vip), build::pod("web", "web-1", "10.1.0.11", false)}, true));
    CHECK(world.backends(vip) == "10.1.0.11=1 10.1.0.12=0");
    const netlink::VirtualServer server{build::address(vip), netlink::Protocol::tcp, 80};
    CHECK(world.engine.state_of(server, {build::address("10.1.0.12"), 8080}, 0) == ServerState::draining);
    CHECK(world.engine.state_of(server, {build::address("10.1.0.11"), 8080}, 1) == ServerState::active);
    world.connections_end();
    CHECK(world.backends(vip) == "10.1.0.11=1");
}

TEST_CASE("nothing drains under dh, which would refuse connections because of it") {
    World world;
    auto service = build::service("web", vip);
    service.annotations = {{"podferry.io/scheduler", "dh"}};
    world.apply(build::transaction(
        {service, build::pod("web", "web-1", "10.1.0.11", false), build::pod("web", "web-2", "10.1.0.12")}));
    world.judge("shop/web-2", health::Verdict::ready);
    CHECK(world.backends(vip) == "10.1.0.11=1 10.1.0.12=1");
    world.apply(build::removal(api::Kind::pod, "web-1"));
    CHECK(world.backends(vip) == "10.1.0.12=1");
    CHECK(world.engine.draining().empty());
    world.judge("shop/web-2", health::Verdict::failed);
    CHECK(world.backends(vip) == "");
}

TEST_CASE("UDP does not drain, also behind a mark") {
    World world;
    auto service = build::local_node_ports(vip);
    auto third = build::pod_on("n2", "web-3", "10.1.0.13");
    world.apply(build::transaction(
        {service, build::pod_on("n1", "web-1", "10.1.0.11"), build::pod_on("n2", "web-2", "10.1.0.12"), third}));
    std::size_t of_marks = 0;
    for (const auto& server : world.engine.desired().servers_of(service.name))
        of_marks += server.mark != 0 ? 1 : 0;
    REQUIRE(of_marks == 2);
    third.labels.clear();
    world.apply(build::transaction({third}));
    // Of TCP: the ClusterIP's, and that of pods and this host for the node port.
    CHECK(world.engine.draining().size() == 2);
    for (const auto& server : world.engine.draining().next(10))
        CHECK(server.protocol != netlink::Protocol::udp);
}

TEST_CASE("what drained for a Service is of no meaning to the older one that takes its front end") {
    World world;
    const auto young = claimant("young", "10.96.0.6", std::chrono::seconds(2));
    const auto old = claimant("old", "10.96.0.7", std::chrono::seconds(1));
    auto pod = build::pod("young", "pod", "10.1.0.1", false);
    world.apply(build::transaction({young, pod}));
    pod.labels = {{"app", "old"}};
    world.apply(build::transaction({pod}));
    CHECK(world.backends("203.0.113.9") == "10.1.0.1=0");
    world.apply(build::transaction({old}));
    CHECK(world.backends("203.0.113.9") == "10.1.0.1=1");
    world.connections_end();
    CHECK(world.backends("203.0.113.9") == "10.1.0.1=1");
    CHECK(world.backends("10.96.0.6") == "");
}

TEST_CASE("an older Service that comes late lets the connections of the one that it displaces go on") {
    World world;
    const auto young = claimant("young", "10.96.0.6", std::chrono::seconds(2));
    const auto old = claimant("old", "10.96.0.7", std::chrono::seconds(1));
    world.apply(build::transaction({young, build::pod("young", "y", "10.1.0.1", false)}));
    world.real_servers = {{{build::address("10.1.0.1"), 8080}, 1}};  // as the kernel has it by now
    world.apply(build::transaction({old, build::pod("old", "o", "10.1.0.2", false)}));
    CHECK(world.backends("203.0.113.9") == "10.1.0.1=0 10.1.0.2=1");
    CHECK(world.backends("10.96.0.6") == "10.1.0.1=1");
    world.apply(build::transaction({build::pod("old", "p", "10.1.0.3", false)}));
    CHECK(world.backends("203.0.113.9") == "10.1.0.1=0 10.1.0.2=1 10.1.0.3=1");
    world.apply(build::transaction({young}));  // its plan is none for that front end
    CHECK(world.backends("203.0.113.9") == "10.1.0.1=0 10.1.0.2=1 10.1.0.3=1");
    world.engine.planner().review_draining(Time{}, {});
    world.engine.planner().review_draining(Time{} + std::chrono::minutes(4), {});
    CHECK(world.backends("203.0.113.9") == "10.1.0.1=0 10.1.0.2=1 10.1.0.3=1");
    world.engine.planner().review_draining(Time{} + std::chrono::minutes(5), {});
    CHECK(world.backends("203.0.113.9") == "10.1.0.2=1 10.1.0.3=1");
}

TEST_CASE("an older Service hears of the end of a displaced one's pod") {
    auto leaving = build::pod("young", "y", "10.1.0.1", false);
    leaving.terminating = true;
    auto completed = build::pod("young", "y", "10.1.0.1", false);
    completed.phase = api::PodPhase::succeeded;
    auto elsewhere = build::pod("other", "y", "10.1.0.1", false);
    struct Row {
        const char* what;
        std::vector<api::Transaction> changes;
        const char* after_a_second;
    };
    const Row rows[] = {
        {"it lives", {}, "10.1.0.1=0 10.1.0.2=1"},
        {"it terminates", {build::transaction({leaving})}, "10.1.0.1=0 10.1.0.2=1"},
        {"it is gone", {build::removal(api::Kind::pod, "y")}, "10.1.0.2=1"},
        {"it has completed", {build::transaction({completed})}, "10.1.0.2=1"},
        {"it leaves the Service alive", {build::transaction({elsewhere})}, "10.1.0.1=0 10.1.0.2=1"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        World world;
        const auto young = claimant("young", "10.96.0.6", std::chrono::seconds(2));
        const auto old = claimant("old", "10.96.0.7", std::chrono::seconds(1));
        world.apply(build::transaction({young, build::pod("young", "y", "10.1.0.1", false)}));
        world.real_servers = {{{build::address("10.1.0.1"), 8080}, 1}};
        world.apply(build::transaction({old, build::pod("old", "o", "10.1.0.2", false)}));
        world.engine.planner().review_draining(Time{}, {});
        world.engine.planner().review_draining(Time{} + std::chrono::minutes(1), {});
        for (const api::Transaction& change : row.changes)
            world.apply(change);
        world.engine.planner().review_draining(Time{} + std::chrono::minutes(1), {});
        world.engine.planner().review_draining(Time{} + std::chrono::minutes(1) + Draining::least, {});
        CHECK(world.backends("203.0.113.9") == row.after_a_second);
    }
}

TEST_CASE("the same from slices: an endpoint that was terminating and is gone has ended") {
    struct Row {
        const char* what;
        std::vector<std::vector<api::Endpoint>> changes;  // of the displaced Service's slice
        const char* after_a_second;
    };
    const Row rows[] = {
        {"terminating", {{endpoint("10.1.0.1", true)}}, "10.1.0.1=0 10.1.0.2=1"},
        {"terminating, then gone", {{endpoint("10.1.0.1", true)}, {}}, "10.1.0.2=1"},
        {"gone at once", {{}}, "10.1.0.1=0 10.1.0.2=1"},
        {"another one is gone",
         {{endpoint("10.1.0.1"), endpoint("10.1.0.3", true)}, {endpoint("10.1.0.1")}},
         "10.1.0.1=0 10.1.0.2=1"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        World world;
        auto young = claimant("young", "10.96.0.6", std::chrono::seconds(2));
        auto old = claimant("old", "10.96.0.7", std::chrono::seconds(1));
        young.selector.clear();
        old.selector.clear();
        world.apply(build::transaction({young, slice_of("young", {endpoint("10.1.0.1")})}));
        world.real_servers = {{{build::address("10.1.0.1"), 8080}, 1}};
        world.apply(build::transaction({old, slice_of("old", {endpoint("10.1.0.2")})}));
        CHECK(world.backends("203.0.113.9") == "10.1.0.1=0 10.1.0.2=1");
        for (const auto& endpoints : row.changes)
            world.apply(build::transaction({slice_of("young", endpoints)}));
        world.engine.planner().review_draining(Time{}, {});
        world.engine.planner().review_draining(Time{} + Draining::least, {});
        CHECK(world.backends("203.0.113.9") == row.after_a_second);
    }
}

TEST_CASE("of a front end that changes hands before the kernel has it nothing drains") {
    World world;
    const auto young = claimant("a-young", "10.96.0.6", std::chrono::seconds(2));
    const auto old = claimant("old", "10.96.0.7", std::chrono::seconds(1));
    world.apply(build::transaction(
        {young, old, build::pod("a-young", "y", "10.1.0.1", false), build::pod("old", "o", "10.1.0.2", false)}));
    CHECK(world.backends("203.0.113.9") == "10.1.0.2=1");
    CHECK(world.engine.draining().empty());
}
