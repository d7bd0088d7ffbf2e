// Virtual servers with marks over what happens to their Service and to the kernel.
#include <catch2/catch.hpp>

#include "engine_world.hpp"

using namespace proxy;
using build::World;

TEST_CASE("where the kernel lacks mh, affinity by a hash is kept by sh, or by the usual scheduler") {
    World world;
    auto service = build::local_node_port("10.96.0.5");
    service.client_ip_affinity = std::chrono::seconds(600);
    world.apply(build::transaction(
        {service, build::pod_on("n1", "web-1", "10.1.0.11"), build::pod_on("n2", "web-2", "10.1.0.12")}));
    const auto scheduler = [&] {
        for (const auto& server : world.engine.desired().servers_of(service.name))
            if (server.mark != 0)
                return world.engine.desired().find(server)->settings.scheduler;
        return std::string("none");
    };
    CHECK(scheduler() == "mh");
    world.engine.planner().scheduler_is_missing("mh", world.engine.store().services());
    world.plan();
    CHECK(scheduler() == "sh");
    CHECK_THAT(world.only_problem(), Catch::Contains("kernel has no scheduler mh") && Catch::EndsWith("sh is used"));
    world.engine.planner().scheduler_is_missing("sh", world.engine.store().services());
    world.plan();
    CHECK(scheduler() == "rr");
}

TEST_CASE("a virtual server with a mark that is no longer needed stays until its connections have ended") {
    World world;
    auto service = build::local_node_ports("10.96.0.5");
    world.apply(build::transaction(
        {service, build::pod_on("n1", "web-1", "10.1.0.11"), build::pod_on("n2", "web-2", "10.1.0.12")}));
    /// "70001:1 1": each virtual server with a mark and the weights in it.
    const auto marked = [&] {
        std::string text;
        for (const auto& server : world.engine.desired().servers_of(service.name))
            if (server.mark != 0) {
                text += " " + std::to_string(server.mark & 0xffff) + ":";
                for (const auto& [real, weight] : world.engine.desired().find(server)->real_servers)
                    text += std::to_string(weight);
                CHECK(world.engine.desired().wishes().wants(
                    netlink::Element{netlink::Set::mark, {}, netlink::Protocol::none, 0, server.mark}));
            }
        return text;
    };
    REQUIRE(marked() == " 1:11 2:11");
    service.external_traffic_policy = api::TrafficPolicy::cluster;
    world.apply(build::transaction({service}));
    CHECK(marked() == " 1:00");  // TCP's; UDP has none to keep
    CHECK(world.engine.draining().size() == 2);
    service.external_traffic_policy = api::TrafficPolicy::local;
    world.apply(build::transaction({service}));
    CHECK(marked() == " 1:11 2:11");
    service.external_traffic_policy = api::TrafficPolicy::cluster;
    world.apply(build::transaction({service}));
    world.apply(build::removal(api::Kind::pod, "web-2"));  // planned again: it stays
    CHECK(marked() == " 1:00");
    world.connections_end();
    world.plan();
    CHECK(marked() == "");
    CHECK(world.engine.draining().empty());
    CHECK_FALSE(world.engine.desired().wishes().wants(
        netlink::Element{netlink::Set::mark, {}, netlink::Protocol::none, 0, World::config().fwmark.value + 1}));
}
