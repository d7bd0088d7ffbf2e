// Which Services are planned anew when something about the node changes, or seems to.
#include "proxy/plan/facts_change.hpp"

#include <catch2/catch.hpp>

#include "engine_world.hpp"
#include "proxy/host/host.hpp"

using namespace proxy;
using build::World;

namespace {

/// One Service of each kind that a node's addresses can matter to, and one to which they never do.
std::vector<api::Object> services() {
    auto plain = build::service("plain", "10.96.0.5");
    auto node_port = build::service("node-port", "10.96.0.6");
    node_port.type = api::ServiceType::node_port;
    node_port.ports[0].node_port = 30080;
    auto external = build::service("external", "10.96.0.7");
    external.external_ips = {build::address("203.0.113.7")};
    auto balanced = build::service("balanced", "10.96.0.8");
    balanced.type = api::ServiceType::load_balancer;
    balanced.allocate_node_ports = false;
    balanced.ingress = {{build::address("203.0.113.8")}};
    balanced.source_ranges = {{build::address("198.51.100.0"), 24}};
    return {plain, node_port, external, balanced};
}

}  // namespace

TEST_CASE("a node's facts affect the Services that depend on them") {
    struct Row {
        const char* what;
        std::function<void(NodeFacts&)> change;
        std::string affected;
    };
    const auto own = [](const char* address) {
        return [address](NodeFacts& facts) { facts.own_addresses.insert(build::address(address)); };
    };
    const Row rows[] = {
        {"nothing", [](NodeFacts&) {}, ""},
        {"an address of no consequence", own("10.1.0.1"), ""},
        {"an external address becomes the host's own", own("203.0.113.7"), "external "},
        {"so does a load balancer's", own("203.0.113.8"), "balanced "},
        {"the host comes into a source range", own("198.51.100.9"), "balanced "},
        {"a subnet's broadcast address of no consequence",
         [](NodeFacts& facts) { facts.claims.broadcasts = {build::address("10.1.0.255")}; }, ""},
        {"an external address becomes a broadcast address",
         [](NodeFacts& facts) { facts.claims.broadcasts = {build::address("203.0.113.7")}; }, "external "},
        {"external addresses are not allowed any more", [](NodeFacts& facts) { facts.claims.external_ips.all = false; },
         "balanced external node-port plain "},
        {"node ports on another address",
         [](NodeFacts& facts) { facts.node_port_addresses = {build::address("192.168.50.11")}; }, "node-port "},
        {"another zone", [](NodeFacts& facts) { facts.place.zone = "b"; }, "balanced external node-port plain "},
        {"another scheduler", [](NodeFacts& facts) { facts.scheduler = "lc"; }, "balanced external node-port plain "},
        {"IPv6 is gone", [](NodeFacts& facts) { facts.has_ipv6 = false; }, "balanced external node-port plain "},
    };
    const bool back = GENERATE(false, true);  // what has come goes again
    for (const Row& row : rows) {
        CAPTURE(row.what, back);
        NodeFacts changed = World::facts();
        row.change(changed);
        World world;
        world.apply(build::transaction(services()));
        if (back) {
            world.engine.set_facts(changed);
            world.plan();
        }
        const auto before = world.engine.planner().plans();
        world.engine.set_facts(back ? World::facts() : changed);
        world.plan();
        const auto names = static_cast<std::uint64_t>(std::count(row.affected.begin(), row.affected.end(), ' '));
        CHECK(world.engine.planner().plans() - before == names);
        std::string affected;
        const FactsChange change(World::facts(), changed);
        for (const api::Service& service : world.engine.store().services())
            if (change.affects(service))
                affected += service.name.name + " ";
        CHECK(affected == row.affected);
    }
}

TEST_CASE("routes are looked at when their source address, or more than an address, has changed") {
    const std::vector<Address> sources = {build::address("192.168.50.10")};
    NodeFacts link = World::facts();
    link.own_addresses.insert(build::address("10.1.0.1"));
    CHECK_FALSE(FactsChange(World::facts(), link).concerns_routes(sources));
    CHECK_FALSE(FactsChange(link, World::facts()).concerns_routes(sources));
    NodeFacts bare = World::facts();
    bare.own_addresses.clear();
    CHECK(FactsChange(World::facts(), bare).concerns_routes(sources));
    CHECK(FactsChange(bare, World::facts()).concerns_routes(sources));
    NodeFacts without = World::facts();
    without.has_ipv6 = false;
    CHECK(FactsChange(World::facts(), without).concerns_routes({}));
}

TEST_CASE("links of pods are no facts of the node") {
    netlink::HostAddress node;
    node.interface = "eth0";
    node.address = build::address("192.168.50.10");
    netlink::HostAddress link;
    link.interface = "veth0";
    for (const char* address : {"fe80::1", "169.254.1.1"}) {
        link.address = build::address(address);
        CHECK(facts_of(World::config(), {node, link}) == facts_of(World::config(), {node}));
    }
}

TEST_CASE("what an object says again plans nothing") {
    World world;
    const auto service = build::service("web", "10.96.0.5");
    const auto pod = build::pod("web", "web-1", "10.1.0.11", false);
    api::EndpointSlice slice;
    slice.name = {"shop", "web-x"};
    slice.service = "web";
    api::Node node;
    node.name = {"", "n1"};
    world.apply(build::transaction({service, pod, slice, node}));
    api::EndpointSlice touched = slice;
    touched.changed += std::chrono::hours(1);
    api::Node leaving = node;
    leaving.leaving = true;
    const auto before = world.engine.planner().plans();
    for (const api::Object& object : std::vector<api::Object>{service, pod, slice, touched, node, leaving}) {
        world.apply(build::transaction({object}));
        CHECK(world.engine.planner().plans() == before);
    }
    touched.endpoints.push_back({build::address("10.1.0.12")});
    world.apply(build::transaction({touched}));
    CHECK(world.engine.planner().plans() == before + 1);
}
