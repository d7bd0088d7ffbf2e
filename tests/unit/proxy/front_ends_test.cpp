// How many front ends a Service has, and which. Node: 192.168.50.10 and fd00:50::10.
#include "proxy/plan/front_ends.hpp"

#include <catch2/catch.hpp>
#include <limits>

#include "proxy/config/config.hpp"
#include "proxy/plan/budget.hpp"
#include "tests/unit/proxy/build.hpp"

using namespace proxy;

namespace {

NodeFacts facts() {
    NodeFacts facts;
    facts.node_port_addresses = {build::address("192.168.50.10"), build::address("fd00:50::10")};
    return facts;
}

/// Two ports, the second with a node port; an address of each kind.
api::Service everything() {
    auto service = build::service("web", "10.96.0.5");
    service.type = api::ServiceType::load_balancer;
    service.ports = {{"a", api::Protocol::tcp, 80, std::uint16_t{8080}, 0},
                     {"b", api::Protocol::tcp, 81, std::uint16_t{8080}, 30081}};
    service.external_ips = {build::address("203.0.113.1"), build::address("fd00:9::1"), build::address("203.0.113.2")};
    service.ingress = {{build::address("203.0.113.8"), api::IpMode::vip},
                       {build::address("203.0.113.9"), api::IpMode::proxy}};
    return service;
}

std::string text(const api::Service& service, std::size_t most, const NodeFacts& node = facts()) {
    std::string all;
    const Request request = request_of(service, node, {}, most);
    const FrontEndWishes& wishes = request.front_ends;
    for (const FrontEndWish& wish : wishes.first)
        all += wish.address->to_string() + "/" + service.ports[wish.port_index].name + " ";
    return all + "of " + std::to_string(wishes.all);
}

/// A Service of `ports` ports x `addresses` external IPs.
api::Service product(std::uint16_t ports, std::uint32_t addresses, const std::string& name = "product") {
    auto service = build::service(name, "10.96.0.5");
    service.ports.clear();
    for (std::uint16_t port = 1; port <= ports; ++port)
        service.ports.push_back({"p" + std::to_string(port), api::Protocol::tcp, port, std::uint16_t{8080}, 0});
    for (std::uint32_t i = 0; i < addresses; ++i)
        service.external_ips.emplace_back(base::Address::v4(0xcb007100U + i));
    return service;
}

std::vector<api::PortEndpoints> with_endpoints(const api::Service& service, const std::string& endpoints) {
    std::vector<api::PortEndpoints> groups;
    for (std::size_t i = 0; i < service.ports.size(); ++i)
        groups.push_back({i, build::endpoints(endpoints)});
    return groups;
}

Budget::Grant granted(Budget& budget, const api::Service& service, const std::vector<api::PortEndpoints>& endpoints,
                      const NodeFacts& node = facts()) {
    return budget.grant(service, request_of(service, node, {}, budget.most_front_ends()), endpoints, {});
}

constexpr Cost no_bound{std::numeric_limits<std::uint64_t>::max() / 2, std::numeric_limits<std::uint64_t>::max() / 2};

}  // namespace

TEST_CASE("front ends: ClusterIPs first, then node ports, load balancers' addresses, external IPs") {
    auto service = everything();
    CHECK(text(service, 100) ==
          "10.96.0.5/a 10.96.0.5/b 192.168.50.10/b 203.0.113.8/a 203.0.113.8/b 203.0.113.1/a 203.0.113.1/b "
          "203.0.113.2/a 203.0.113.2/b of 9");
    CHECK(text(service, 4) == "10.96.0.5/a 10.96.0.5/b 192.168.50.10/b 203.0.113.8/a of 9");
    CHECK(text(service, 0) == "of 9");
    service.cluster_ips.insert(service.cluster_ips.begin(), build::address("fd00:96::5"));
    CHECK(text(service, 6) == "fd00:96::5/a fd00:96::5/b 10.96.0.5/a 10.96.0.5/b 192.168.50.10/b fd00:50::10/b of 14");
    NodeFacts without_ipv6 = facts();
    without_ipv6.has_ipv6 = false;
    CHECK(text(service, 3, without_ipv6) == "10.96.0.5/a 10.96.0.5/b 192.168.50.10/b of 9");
    service.headless = true;
    CHECK(text(service, 100) == "of 0");
}

TEST_CASE("port 53 of a ClusterIP that NodeLocal DNSCache holds is left to it") {
    auto service = everything();
    service.ports[0].port = 53;
    NodeFacts node = facts();
    node.dns_cache = {build::address("10.96.0.5")};
    CHECK(text(service, 3, node) == "10.96.0.5/b 192.168.50.10/b 203.0.113.8/a of 8");
    service.cluster_ips = {build::address("10.96.0.6")};
    CHECK(text(service, 3, node) == "10.96.0.6/a 10.96.0.6/b 192.168.50.10/b of 9");
}

TEST_CASE("a million front ends are counted, not made") {
    const auto service = product(1000, 1000);
    const NodeFacts node = facts();
    const Request request = request_of(service, node, {}, 4096);
    const FrontEndWishes& wishes = request.front_ends;
    CHECK(wishes.all == 1'001'000);
    CHECK(wishes.first.size() == 4096);
    CHECK(wishes.first.capacity() <= 2 * 4096);
    Budget budget({4096, 65536}, no_bound);
    const auto grant = budget.grant(service, request, with_endpoints(service, "1r 2r"), {});
    CHECK(grant.front_ends == 4096);
    CHECK(
        grant.problems ==
        std::vector<std::string>{
            "spec.externalIPs: 1001000 front ends (ports x addresses) are asked for and 4096 are served, ClusterIPs "
            "before node ports, load balancers' addresses and external IPs: a Service may have 4096; ask for less, or "
            "raise setting front_ends_per_service"});
    Marks marks(netlink::Fwmark{});
    const ServicePlan planned =
        plan(service, request, with_endpoints(service, "1r 2r"), node, {{}, {}, {}, marks}, grant.front_ends);
    CHECK(planned.virtual_servers.size() == 4096);
    CHECK(planned.elements.size() < 5 * 4096);
}

TEST_CASE("what front ends multiply is bounded too") {
    struct Row {
        const char* what;
        Cost bound;
        const char* endpoints;
        std::size_t ranges;
        std::size_t front_ends;
        const char* problem;  // a part of it; nullptr: none
    };
    const Row rows[] = {
        {"all fits", {9, 18}, "1r 2r", 0, 9, nullptr},
        {"too many front ends", {8, 18}, "1r 2r", 0, 8, "a Service may have 8;"},
        {"too many real servers", {9, 17}, "1r 2r", 0, 8, "more than 17 real servers"},
        {"endpoints that are not ready count as others", {9, 17}, "1 2", 0, 8, "more than 17 real servers"},
        {"source ranges, of the load balancer's address only", {9, 18}, "1r 2r", 2, 4, "more than 18 real servers"},
        {"source ranges that fit", {9, 34}, "1r 2r", 2, 9, nullptr},
        {"none fits", {9, 1}, "1r 2r", 0, 0, "9 front ends (ports x addresses) are asked for and 0 are served"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        auto service = everything();
        for (std::size_t i = 0; i < row.ranges; ++i)
            service.source_ranges.push_back({build::address("10." + std::to_string(i) + ".0.0"), 16});
        Budget budget(row.bound, no_bound);
        const auto grant = granted(budget, service, with_endpoints(service, row.endpoints));
        CHECK(grant.front_ends == row.front_ends);
        REQUIRE(grant.problems.size() == (row.problem == nullptr ? 0 : 1));
        if (row.problem != nullptr)
            CHECK(grant.problems[0].find(row.problem) != std::string::npos);
    }
}

TEST_CASE("front ends whose endpoints were too many to resolve are left out; of the first port some are used") {
    const auto service = everything();
    Budget budget(no_bound, no_bound);
    auto endpoints = with_endpoints(service, "1r 2r");
    endpoints.pop_back();
    const auto grant = granted(budget, service, endpoints);
    CHECK(grant.front_ends == 1);
    REQUIRE(grant.problems.size() == 1);
    auto single = build::service("web", "10.96.0.5");
    auto some = with_endpoints(single, "1r 2r");
    some[0].all = false;
    const auto partly = granted(budget, single, some);
    CHECK(partly.front_ends == 1);
    REQUIRE(partly.problems.size() == 1);
    CHECK(partly.problems[0].find("endpoints, of which the first are used") != std::string::npos);
}

TEST_CASE("10,000 dual-stack Services with three ports, node ports and a load balancer fit by default") {
    auto service = product(3, 0);
    service.cluster_ips.push_back(build::address("fd00:96::5"));
    for (auto& port : service.ports)
        port.node_port = static_cast<std::uint16_t>(30000 + port.port);
    service.ingress = {{build::address("203.0.113.8"), api::IpMode::vip},
                       {build::address("fd00:9::8"), api::IpMode::vip}};
    const Config config;
    Budget budget({static_cast<std::uint64_t>(config.front_ends_per_service),
                   static_cast<std::uint64_t>(config.real_servers_per_service)},
                  {static_cast<std::uint64_t>(config.front_ends_per_node),
                   static_cast<std::uint64_t>(config.real_servers_per_node)});
    const auto endpoints = with_endpoints(service, "1r 2r 3r 4r 5r");
    std::size_t whole = 0;
    for (int i = 0; i < 10'000; ++i) {
        service.name.name = "s" + std::to_string(i);
        whole += granted(budget, service, endpoints).problems.empty() ? 1 : 0;
    }
    CHECK(whole == 10'000);
}

TEST_CASE("what external addresses are refused takes no front end from the others") {
    auto service = product(2, 0);
    service.external_ips = {build::address("10.96.0.5"), build::address("127.0.0.1"), build::address("192.168.50.10"),
                            build::address("203.0.113.1")};
    NodeFacts node = facts();
    node.own_addresses = {build::address("192.168.50.10")};
    node.claims.own_ports = {2};
    CHECK(text(service, 4, node) == "10.96.0.5/p1 10.96.0.5/p2 192.168.50.10/p1 203.0.113.1/p1 of 5");
    Budget budget({5, 10}, no_bound);
    const auto grant = granted(budget, service, with_endpoints(service, "1r 2r"), node);
    CHECK(grant.front_ends == 5);
    CHECK(grant.problems.empty());
}

TEST_CASE("front ends are planned by family and port, of one port by kind") {
    auto service = everything();
    service.cluster_ips.insert(service.cluster_ips.begin(), build::address("fd00:96::5"));
    const NodeFacts node = facts();
    const auto external = named_addresses(service);
    const auto all = front_ends_of(service, external, node, 100);
    std::string text;
    for (const FrontEndWish& wish : by_port(all.first, service))
        text += netlink::to_string(server_of(wish, service)) + " ";
    CHECK(text ==
          "[fd00:96::5]:80/tcp [fd00:9::1]:80/tcp [fd00:96::5]:81/tcp [fd00:50::10]:30081/tcp [fd00:9::1]:81/tcp "
          "10.96.0.5:80/tcp 203.0.113.8:80/tcp 203.0.113.1:80/tcp 203.0.113.2:80/tcp "
          "10.96.0.5:81/tcp 192.168.50.10:30081/tcp 203.0.113.8:81/tcp 203.0.113.1:81/tcp 203.0.113.2:81/tcp ");
}

TEST_CASE("a Service that has external addresses alone, as an edge's, is served at those of both families") {
    auto service = everything();
    service.cluster_ips.clear();
    service.external_ips.clear();
    service.ingress = {{build::address("203.0.113.8"), api::IpMode::vip},
                       {build::address("fd00:9::8"), api::IpMode::vip}};
    service.ports.resize(1);
    CHECK(text(service, 10) == "203.0.113.8/a fd00:9::8/a of 2");
    NodeFacts without_ipv6 = facts();
    without_ipv6.has_ipv6 = false;
    CHECK(text(service, 10, without_ipv6) == "203.0.113.8/a of 1");
}
