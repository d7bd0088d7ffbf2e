// Allocation of ClusterIPs and node ports.
#include "proxy/plan/allocate.hpp"

#include <catch2/catch.hpp>

using namespace proxy;

namespace {

api::Service service(const std::string& name, api::ServiceType type = api::ServiceType::cluster_ip) {
    api::Service service;
    service.name = {"shop", name};
    service.type = type;
    service.ports = {{"", api::Protocol::tcp, 80, std::uint16_t{8080}, 0}};
    return service;
}

api::Service with_address(api::Service service, const std::string& address) {
    service.cluster_ips.push_back(base::make_address(address));
    return service;
}

Allocator allocator(const std::string& range = "10.96.0.0/24", PortRange ports = {}, Choices remembered = {}) {
    return Allocator({*base::parse_prefix(range)}, ports, std::move(remembered));
}

std::uint32_t offset_in(const Address& address, const std::string& base) {
    return address.number() - base::make_address(base).number();
}

}  // namespace

TEST_CASE("an automatic ClusterIP comes from the upper band") {
    auto pool = allocator("10.96.0.0/24");  // 254 usable addresses, lower band 16
    for (int i = 0; i < 238; ++i) {
        const auto taken = pool.allocate(service("s" + std::to_string(i)));
        REQUIRE(taken);
        CHECK(offset_in(taken->cluster_ips.at(0), "10.96.0.0") > 16);
    }
    const auto last = pool.allocate(service("lower"));
    REQUIRE(last);
    CHECK(offset_in(last->cluster_ips.at(0), "10.96.0.0") <= 16);
}

TEST_CASE("a full range is a clear error on the object that got nothing") {
    auto pool = allocator("10.96.0.0/30");
    REQUIRE(pool.allocate(service("a")));
    REQUIRE(pool.allocate(service("b")));
    const auto refused = pool.allocate(service("c"));
    REQUIRE_FALSE(refused);
    CHECK(refused.error() ==
          "spec.clusterIP: service_cluster_ip_range 10.96.0.0/30 is full (2 of 2 addresses in use); enlarge it or "
          "delete Services");
    pool.release({"shop", "a"});
    CHECK(pool.allocate(service("c")));
}

TEST_CASE("the choice is stable: over another call, over a restart, and without the remembered choices") {
    auto first = allocator();
    const auto taken = first.allocate(service("web", api::ServiceType::node_port));
    REQUIRE(taken);
    CHECK(first.allocate(service("web", api::ServiceType::node_port)) == taken);
    auto restarted = allocator("10.96.0.0/24", {}, *choices_from_json(to_json(first.choices())));
    REQUIRE(restarted.allocate(with_address(service("other"), "10.96.0.5")));
    CHECK(restarted.allocate(service("web", api::ServiceType::node_port)) == taken);
    auto forgotten = allocator();
    CHECK(forgotten.allocate(service("web", api::ServiceType::node_port)) == taken);
}

TEST_CASE("a remembered address that was given explicitly meanwhile is not used") {
    auto first = allocator();
    const auto address = first.allocate(service("web"))->cluster_ips.at(0);
    auto restarted = allocator("10.96.0.0/24", {}, first.choices());
    REQUIRE(restarted.allocate(with_address(service("explicit"), address.to_string())));
    const auto moved = restarted.allocate(service("web"));
    REQUIRE(moved);
    CHECK(moved->cluster_ips.at(0) != address);
}

TEST_CASE("double use and addresses outside the range are refused with the reason") {
    auto pool = allocator();
    REQUIRE(pool.allocate(with_address(service("a"), "10.96.0.10")));
    CHECK(pool.allocate(with_address(service("b"), "10.96.0.10")).error() ==
          "spec.clusterIPs: 10.96.0.10 is already the ClusterIP of Service shop/a; choose another");
    CHECK(pool.allocate(with_address(service("b"), "10.97.0.1")).error() ==
          "spec.clusterIPs: 10.97.0.1 is not in service_cluster_ip_range 10.96.0.0/24; choose one inside, or leave it "
          "out");
    CHECK(pool.allocate(with_address(service("b"), "10.96.0.0")).error().find("is not in") != std::string::npos);
    CHECK(pool.allocate(with_address(service("b"), "fd00::1")).error().find("no range of that family") !=
          std::string::npos);
}

TEST_CASE("a refused change of a Service keeps what it holds") {
    auto pool = allocator();
    REQUIRE(pool.allocate(with_address(service("a"), "10.96.0.10")));
    REQUIRE(pool.allocate(with_address(service("b"), "10.96.0.11")));
    REQUIRE_FALSE(pool.allocate(with_address(service("b"), "10.96.0.10")));
    CHECK_FALSE(pool.allocate(with_address(service("c"), "10.96.0.11")));
}

TEST_CASE("node ports: explicit, automatic, double use, outside the range") {
    auto pool = allocator("10.96.0.0/24", {30000, 30099});
    auto explicit_port = service("a", api::ServiceType::node_port);
    explicit_port.ports[0].node_port = 30005;
    REQUIRE(pool.allocate(explicit_port));
    const auto automatic = pool.allocate(service("b", api::ServiceType::node_port));
    REQUIRE(automatic);
    CHECK(automatic->ports[0].node_port >= 30016);
    auto clash = service("c", api::ServiceType::node_port);
    clash.ports[0].node_port = 30005;
    CHECK(pool.allocate(clash).error() ==
          "spec.ports[0].nodePort: 30005/tcp is already the node port of Service shop/a; choose another");
    clash.ports[0].protocol = api::Protocol::udp;
    CHECK(pool.allocate(clash));
    clash.ports[0].node_port = 8080;
    CHECK(pool.allocate(clash).error() ==
          "spec.ports[0].nodePort: 8080 is not in service_node_port_range 30000-30099; choose one inside, or leave it "
          "out");
    pool.release(explicit_port.name);
    clash.ports[0].protocol = api::Protocol::tcp;
    clash.ports[0].node_port = 30005;
    CHECK(pool.allocate(clash));
}

TEST_CASE("a full node port range is an error on the object that got nothing") {
    auto pool = allocator("10.96.0.0/24", {30000, 30001});
    REQUIRE(pool.allocate(service("a", api::ServiceType::node_port)));
    REQUIRE(pool.allocate(service("b", api::ServiceType::node_port)));
    CHECK(pool.allocate(service("c", api::ServiceType::node_port)).error() ==
          "spec.ports: port 80/tcp: service_node_port_range 30000-30001 is full (2 ports); enlarge it or delete "
          "Services");
}

TEST_CASE("families follow ipFamilyPolicy and the configured ranges") {
    Allocator dual({*base::parse_prefix("10.96.0.0/24"), *base::parse_prefix("fd00:96::/112")}, {}, {});
    CHECK(dual.allocate(service("single"))->cluster_ips.size() == 1);
    auto prefer = service("prefer");
    prefer.family_policy = api::FamilyPolicy::prefer_dual_stack;
    const auto both = dual.allocate(prefer);
    REQUIRE(both->cluster_ips.size() == 2);
    CHECK(both->cluster_ips[1].is_v6());
    auto v6 = service("v6");
    v6.families = {api::Family::ipv6};
    CHECK(dual.allocate(v6)->cluster_ips.at(0).is_v6());
    auto single = allocator();
    CHECK(single.allocate(prefer)->cluster_ips.size() == 1);
    auto required = service("required");
    required.family_policy = api::FamilyPolicy::require_dual_stack;
    CHECK(single.allocate(required).error() ==
          "spec.ipFamilyPolicy: RequireDualStack, but service_cluster_ip_range has one family only");
}

TEST_CASE("a health check port is a node port of its Service, and is never chosen") {
    auto pool = allocator("10.96.0.0/24", {30000, 30002});
    auto web = service("web", api::ServiceType::load_balancer);
    web.external_traffic_policy = api::TrafficPolicy::local;
    CHECK(pool.allocate(web)->health_check_node_port == 0);
    web.health_check_node_port = 30001;
    const auto taken = pool.allocate(web);
    REQUIRE(taken);
    CHECK(taken->ports[0].node_port != 30001);
    auto other = service("other", api::ServiceType::node_port);
    other.ports[0].node_port = 30001;
    CHECK(pool.allocate(other).error() ==
          "spec.ports[0].nodePort: 30001/tcp is already the node port of Service shop/web; choose another");
    other.ports[0].protocol = api::Protocol::udp;
    CHECK(pool.allocate(other));
    auto rival = web;
    rival.name.name = "rival";
    CHECK(pool.allocate(rival).error() ==
          "spec.healthCheckNodePort: 30001 is already in use by Service shop/web; choose another");
    web.health_check_node_port = 30005;
    CHECK_THAT(pool.allocate(web).error(), Catch::Contains("30005 is not in service_node_port_range 30000-30002"));
    pool.release(web.name);
    CHECK(pool.allocate(rival));
    rival.external_traffic_policy = api::TrafficPolicy::cluster;
    REQUIRE(pool.allocate(rival));
    web.health_check_node_port = 30001;
    CHECK(pool.allocate(web));
}

TEST_CASE("a remembered node port gives way to a health check port that is given") {
    auto pool = allocator("10.96.0.0/24", {30000, 30009});
    auto web = service("web", api::ServiceType::load_balancer);
    web.external_traffic_policy = api::TrafficPolicy::local;
    web.health_check_node_port = pool.allocate(web)->ports[0].node_port;
    const auto again = pool.allocate(web);
    REQUIRE(again);
    CHECK(again->ports[0].node_port != web.health_check_node_port);
}

TEST_CASE("headless and ExternalName Services get nothing") {
    auto pool = allocator();
    auto headless = service("h");
    headless.headless = true;
    CHECK(pool.allocate(headless)->cluster_ips.empty());
    CHECK(pool.allocate(service("e", api::ServiceType::external_name))->cluster_ips.empty());
    CHECK(pool.use()[0].used == 0);
}

TEST_CASE("use counts what is held") {
    auto pool = allocator("10.96.0.0/24", {30000, 30009});
    REQUIRE(pool.allocate(service("a", api::ServiceType::node_port)));
    const auto use = pool.use();
    CHECK(use[0].range == "10.96.0.0/24");
    CHECK(use[0].size == 254);
    CHECK(use[0].used == 1);
    CHECK(use[1].size == 10);
    CHECK(use[1].used == 1);
}

TEST_CASE("a state file that is not ours is an error, not a crash") {
    CHECK_FALSE(choices_from_json("{"));
    CHECK_FALSE(choices_from_json("[]"));
    CHECK_FALSE(choices_from_json(R"({"noslash":{"clusterIPs":[],"nodePorts":{}}})"));
    CHECK_FALSE(choices_from_json(R"({"a/b":{"clusterIPs":["x"],"nodePorts":{}}})"));
    CHECK(choices_from_json("{}"));
}
