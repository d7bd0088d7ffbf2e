// Virtual servers with marks over what happens to their Service and to the kernel.
#include <catch2/catch.hpp>

#include "engine_world.hpp"

using namespace proxy;
using build::World;

TEST_CASE("where the kernel lacks mh, affinity by a hash is kept by sh, or by the usual scheduler") {
    World world;
    auto service = build::service("web", "10.96.0.5");
    service.type = api::ServiceType::node_port;
    service.external_traffic_policy = api::TrafficPolicy::local;
    service.client_ip_affinity = std::chrono::seconds(600);
    service.ports[0].node_port = 30080;
    auto here = build::pod("web", "web-1", "10.1.0.11", false);
    here.node_name = "n1";
    auto there = build::pod("web", "web-2", "10.1.0.12", false);
    there.node_name = "n2";
    world.apply(build::transaction({service, here, there}));
    const auto scheduler = [&] {
        for (const auto& server : world.engine.desired().servers_of(service.name))
            if (server.mark != 0)
                return world.engine.desired().find(server)->settings.scheduler;
        return std::string("none");
    };
    CHECK(scheduler() == "mh");
    world.engine.scheduler_is_missing("mh");
    world.engine.plan_dirty();
    CHECK(scheduler() == "sh");
    CHECK_THAT(world.only_problem(), Catch::Contains("kernel has no scheduler mh") && Catch::EndsWith("sh is used"));
    world.engine.scheduler_is_missing("sh");
    world.engine.plan_dirty();
    CHECK(scheduler() == "rr");
}
