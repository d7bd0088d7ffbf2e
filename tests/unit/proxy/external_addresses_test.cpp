// Which addresses a Service may claim.
#include "proxy/plan/external_addresses.hpp"

#include <catch2/catch.hpp>

#include "build.hpp"
#include "engine_world.hpp"
#include "proxy/host/host.hpp"

using namespace proxy;
using build::address;

namespace {

/// A node 192.168.50.10/24 of a cluster whose API servers are 192.168.50.2:6443 and 198.51.100.1:443.
struct Node {
    Config config = default_config();
    AddressBook book;
    std::vector<netlink::HostAddress> host = {{address("192.168.50.10"), 24, "eth0"},
                                              {address("2001:db8:50::10"), 64, "eth0"},
                                              {address("10.1.0.1"), 32, "pod1"},
                                              {address("127.0.0.1"), 8, "lo"}};

    Node() {
        config.network_cidr = {*base::parse_prefix("10.1.0.0/16"), *base::parse_prefix("fd00:1::/64")};
        config.service_cluster_ip_range = {*base::parse_prefix("10.96.0.0/24"), *base::parse_prefix("fd00:96::/112")};
        book.put({"other", "db"}, {address("172.30.0.7")});
        book.put_health_port({"other", "lb"}, 30900, {});
        book.set_servers_of_cluster({{address("192.168.50.2"), 6443}});
        book.add_server_in_use({address("198.51.100.1"), 443});
    }
    /// Empty: allowed.
    std::string judge(const std::string& where, std::uint16_t port, api::Protocol protocol = api::Protocol::tcp) const {
        const NodeFacts facts = facts_of(config, host);
        return why_refused(ClaimField::external_ips, address(where), port, protocol,
                           {facts.claims, facts.own_addresses, book})
            .value_or("");
    }
};

}  // namespace

TEST_CASE("external addresses that somebody else has, or nobody can have, are refused") {
    struct Row {
        const char* address;
        std::uint16_t port;
        const char* why;  // a part of the sentence; nullptr: allowed
    };
    const auto row = GENERATE(
        Row{"203.0.113.7", 80, nullptr}, Row{"2001:db8:e::7", 443, nullptr}, Row{"10.2.0.1", 80, nullptr},
        Row{"10.1.3.4", 80, "is in the pod network 10.1.0.0/16"},
        Row{"fd00:1::4", 80, "is in the pod network fd00:1::/64"},
        Row{"10.1.0.1", 80, "is in the pod network 10.1.0.0/16"},
        Row{"10.96.0.77", 80, "is in the range of ClusterIPs 10.96.0.0/24"},
        Row{"fd00:96::7", 80, "is in the range of ClusterIPs fd00:96::/112"}, Row{"172.30.0.7", 80, "is a ClusterIP"},
        Row{"172.30.0.8", 80, nullptr}, Row{"127.0.0.1", 10249, "is a loopback address"},
        Row{"127.8.9.1", 80, "is a loopback address"}, Row{"::1", 80, "is a loopback address"},
        Row{"0.0.0.0", 80, "is an unspecified address"}, Row{"0.1.2.3", 80, "is an unspecified address"},
        Row{"::", 80, "is an unspecified address"}, Row{"169.254.169.254", 80, "is a link-local address"},
        Row{"fe80::1", 80, "is a link-local address"}, Row{"224.0.0.1", 80, "is a multicast address"},
        Row{"ff02::1", 80, "is a multicast address"}, Row{"255.255.255.255", 80, "is a broadcast address"},
        Row{"192.168.50.255", 80, "is a broadcast address"}, Row{"192.168.51.255", 80, nullptr},
        Row{"::ffff:192.0.2.1", 80, "is an IPv4 address in the form of IPv6"},
        Row{"::192.0.2.1", 80, "is an IPv4 address in the form of IPv6"},
        Row{"64:ff9b::c000:201", 80, "is an IPv4 address in the form of IPv6"},
        Row{"64:ff9b:1:2::7", 80, "is an IPv4 address in the form of IPv6"},
        // API servers, and what is beside them.
        Row{"192.168.50.2", 6443, "an API server answers at port 6443/tcp"}, Row{"192.168.50.2", 80, nullptr},
        Row{"192.168.50.2", 2379, "the control plane answers at port 2379/tcp"},
        Row{"192.168.50.2", 10250, "the kubelet or podferry answers at port 10250/tcp"},
        Row{"198.51.100.1", 443, "an API server answers at port 443/tcp"}, Row{"198.51.100.1", 444, nullptr},
        // This node's own ports.
        Row{"192.168.50.10", 80, nullptr}, Row{"192.168.50.10", 443, nullptr}, Row{"192.168.50.10", 2379, nullptr},
        Row{"192.168.50.10", 30900, "podferry (a healthCheckNodePort) answers at port 30900/tcp"},
        Row{"203.0.113.7", 30900, nullptr},
        Row{"192.168.50.10", 10250, "the kubelet or podferry answers at port 10250/tcp of 192.168.50.10"},
        Row{"192.168.50.10", 10255, "the kubelet or podferry"}, Row{"192.168.50.10", 10248, "the kubelet or podferry"},
        Row{"192.168.50.10", 10249, "the kubelet or podferry"}, Row{"192.168.50.10", 10256, "the kubelet or podferry"},
        Row{"2001:db8:50::10", 10250, "the kubelet or podferry"}, Row{"192.168.50.11", 10250, nullptr});
    const std::string said = Node().judge(row.address, row.port);
    CAPTURE(row.address, row.port, said);
    if (row.why == nullptr) {
        CHECK(said.empty());
    } else {
        CHECK_THAT(said, Catch::StartsWith("spec.externalIPs: ") && Catch::Contains(row.why));
    }
}

TEST_CASE(
    "ports are guarded for TCP, where the settings say, and for an API server on this node at all its addresses") {
    Node node;
    CHECK(node.judge("192.168.50.10", 10250, api::Protocol::udp).empty());
    node.config.healthz_bind_address[0].port = 9999;
    CHECK(node.judge("192.168.50.10", 10256).empty());
    CHECK_FALSE(node.judge("192.168.50.10", 9999).empty());
    node.book.set_servers_of_cluster({{address("192.168.50.10"), 6443}});
    CHECK_THAT(node.judge("2001:db8:50::10", 6443), Catch::Contains("an API server"));
    CHECK_THAT(node.judge("192.168.50.10", 2380), Catch::Contains("the control plane"));
    CHECK(node.judge("203.0.113.7", 6443).empty());
}

TEST_CASE("setting external_ips says which addresses may be claimed, of spec.externalIPs alone") {
    Node node;
    const auto service = [] {
        auto made = build::service("web", "10.96.0.5");
        made.external_ips = {address("203.0.113.7"), address("2001:db8:e::7")};
        made.ingress = {{address("203.0.113.8"), api::IpMode::vip}, {address("203.0.113.9"), api::IpMode::proxy}};
        return made;
    }();
    const auto allowed = [&] {
        const NodeFacts facts = facts_of(node.config, node.host);
        std::vector<std::string> problems;
        std::string text;
        for (const auto& external :
             external_addresses(service, {facts.claims, facts.own_addresses, node.book}, problems))
            text += external.address.to_string() + " ";
        return text + std::to_string(problems.size());
    };
    CHECK(allowed() == "203.0.113.7 2001:db8:e::7 203.0.113.8 0");
    node.config.external_ips = {false, {}};
    CHECK(allowed() == "203.0.113.8 2");
    node.config.external_ips = {false, {*base::parse_prefix("203.0.113.0/24")}};
    CHECK(allowed() == "203.0.113.7 203.0.113.8 1");
    node.config.external_ips = {false, {*base::parse_prefix("10.1.0.0/16")}};
    CHECK_THAT(node.judge("10.1.3.4", 80), Catch::Contains("pod network"));
}

TEST_CASE("a Service that claims a thousand addresses of others is told of the first few") {
    const Node node;
    const NodeFacts facts = facts_of(node.config, node.host);
    auto service = build::service("web", "10.96.0.5");
    for (std::uint32_t i = 0; i < 1000; ++i)
        service.external_ips.push_back(base::address_at(node.config.network_cidr[0], i));
    std::vector<std::string> problems;
    CHECK(external_addresses(service, {facts.claims, facts.own_addresses, node.book}, problems).empty());
    REQUIRE(problems.size() == 9);
    CHECK(problems.back() == "spec: 992 more external addresses and ports are not served for such reasons");
}

TEST_CASE("a refused address costs itself, and one that becomes free is served") {
    build::World world;
    auto web = build::service("web", "10.96.0.5");
    web.external_ips = {address("203.0.113.7"), address("127.0.0.1"), address("172.30.0.7")};
    auto other = build::service("other", "10.96.0.6");
    world.apply(build::transaction({web, build::pod("web", "web-1", "10.1.0.11", false)}, true));
    CHECK(world.backends("10.96.0.5") == "10.1.0.11=1");
    CHECK(world.backends("203.0.113.7") == "10.1.0.11=1");
    CHECK(world.backends("172.30.0.7") == "10.1.0.11=1");
    CHECK(world.backends("127.0.0.1") == "none");
    CHECK_THAT(world.only_problem(), Catch::Contains("spec.externalIPs: 127.0.0.1 is a loopback address"));
}

TEST_CASE("an external address that becomes another one's ClusterIP is refused, until that goes") {
    build::World world(/*addresses_given=*/true);
    auto web = build::service("web", "10.96.0.5");
    web.external_ips = {address("172.30.0.7")};
    world.apply(build::transaction({web, build::pod("web", "web-1", "10.1.0.11", false)}, true));
    CHECK(world.backends("172.30.0.7") == "10.1.0.11=1");
    auto db = build::service("db", "172.30.0.7");
    db.ports[0].port = 5432;
    world.apply(build::transaction({db}));
    CHECK(world.backends("172.30.0.7") == "none");
    CHECK_THAT(world.only_problem(), Catch::Contains("172.30.0.7 is a ClusterIP"));
    world.apply(build::removal(api::Kind::service, "db"));
    CHECK(world.backends("172.30.0.7") == "10.1.0.11=1");
    CHECK(problems_of(world.engine).empty());
}

TEST_CASE("an API server's address and port are guarded as soon as they are known") {
    build::World world(/*addresses_given=*/true);
    auto web = build::service("web", "10.96.0.5");
    web.ports[0].port = 6443;
    web.external_ips = {address("192.0.2.1"), address("192.0.2.2"), address("192.0.2.3")};
    world.apply(build::transaction({web, build::pod("web", "web-1", "10.1.0.11", false)}, true));
    CHECK(world.backends("192.0.2.1", 6443) == "10.1.0.11=1");
    CHECK(world.engine.planner().note_api_server({address("192.0.2.1"), 6443}));
    CHECK_FALSE(world.engine.planner().note_api_server({address("192.0.2.1"), 6443}));
    world.plan();
    CHECK(world.backends("192.0.2.1", 6443) == "none");
    // The endpoints of the API's own Service.
    api::Service kubernetes = build::service("kubernetes", "10.96.0.1");
    kubernetes.name = {"default", "kubernetes"};
    kubernetes.selector.clear();
    api::EndpointSlice slice;
    slice.name = {"default", "kubernetes"};
    slice.service = "kubernetes";
    slice.ports = {{"", api::Protocol::tcp, 6443}};
    slice.endpoints = {{address("192.0.2.2"), true, true, false, {}, {}}};
    world.apply(build::transaction({kubernetes, slice}));
    CHECK(world.backends("192.0.2.2", 6443) == "none");
    CHECK(world.backends("192.0.2.3", 6443) == "10.1.0.11=1");
}
