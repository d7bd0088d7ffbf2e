// Who this node is: addresses, zone, leaving.
#include "proxy/host/node_identity.hpp"

#include <catch2/catch.hpp>

#include "build.hpp"

using namespace proxy;

namespace {

Address ip(const char* text) {
    return base::make_address(text);
}

netlink::HostAddress on(const char* interface, const char* address, int length) {
    netlink::HostAddress made;
    made.interface = interface;
    made.address = ip(address);
    made.prefix_length = length;
    return made;
}

Config config_with(std::vector<Address> node_ip) {
    Config config = default_config();
    config.node_name = "n1";
    config.node_ip = std::move(node_ip);
    config.service_cluster_ip_range = {*base::parse_prefix("10.96.0.0/24")};
    return config;
}

api::Node node_with(std::vector<Address> addresses, std::string zone = "", bool leaving = false) {
    api::Node node;
    node.name = {"", "n1"};
    node.addresses = std::move(addresses);
    node.zone = std::move(zone);
    node.leaving = leaving;
    return node;
}

HostNetwork unasked() {
    FAIL("the network is not needed");
    return {};
}

const std::vector<netlink::HostAddress> host = {on("eth0", "192.168.50.10", 24), on("eth1", "10.9.0.1", 24)};

}  // namespace

TEST_CASE("whether the node is about to go") {
    const Config config = config_with({ip("192.168.50.10")});
    const api::Node stays = node_with({});
    const api::Node goes = node_with({}, "", true);
    struct Row {
        const char* what;
        bool of_cluster;
        std::vector<const api::Node*> seen;
        bool leaving;
    };
    const Row rows[] = {
        {"no Node yet", true, {nullptr}, false},
        {"it is there", true, {&stays}, false},
        {"it is tainted", true, {&goes}, true},
        {"it stays after all", true, {&goes, &stays}, false},
        {"it is deleted", true, {&stays, nullptr}, true},
        {"it comes back", true, {&stays, nullptr, &stays}, false},
        {"a folder's is not asked", false, {&goes}, false},
        {"nor missed", false, {&stays, nullptr}, false},
    };
    for (const Row& row : rows) {
        INFO(row.what);
        NodeIdentity identity(config, {false, row.of_cluster});
        for (const api::Node* node : row.seen) {
            const bool before = identity.is_leaving();
            CHECK(identity.note_node(node).leaving_changed == (before != identity.is_leaving()));
        }
        CHECK(identity.is_leaving() == row.leaving);
    }
}

TEST_CASE("what the Node object says is followed once, and its zone stays when it goes") {
    const Config config = config_with({ip("192.168.50.10")});
    NodeIdentity identity(config, {false, true});
    const api::Node node = node_with({ip("10.9.0.1")}, "west");
    CHECK(identity.note_node(&node).follow);
    CHECK_FALSE(identity.note_node(&node).follow);
    CHECK(identity.follow(host, unasked));
    CHECK(identity.node_ip() == std::vector{ip("10.9.0.1")});
    CHECK(identity.named_by_node());
    CHECK_FALSE(identity.follow(host, unasked));
    CHECK_FALSE(identity.note_node(nullptr).follow);
    CHECK(identity.facts(host).place.zone == "west");
    CHECK(identity.facts(host).node_port_addresses == std::vector{ip("10.9.0.1")});
}

TEST_CASE("a folder's Node object gives the zone and no address") {
    const Config config = config_with({ip("192.168.50.10")});
    NodeIdentity identity(config, {false, false});
    const api::Node node = node_with({ip("10.9.0.1")}, "west");
    CHECK(identity.note_node(&node).follow);
    CHECK_FALSE(identity.follow(host, unasked));
    CHECK(identity.node_ip() == std::vector{ip("192.168.50.10")});
    CHECK(identity.facts(host).place.zone == "west");
}

TEST_CASE("the setting node_ip counts more than the Node object") {
    const Config config = config_with({ip("192.168.50.10")});
    NodeIdentity identity(config, {true, true});
    const api::Node node = node_with({ip("10.9.0.1")});
    identity.note_node(&node);
    CHECK_FALSE(identity.follow(host, unasked));
    CHECK(identity.node_ip() == std::vector{ip("192.168.50.10")});
}

TEST_CASE("a host that has no address at the start gets one later") {
    const Config config = config_with({});
    NodeIdentity identity(config, {false, true});
    int asked = 0;
    const auto network = [&] {
        ++asked;
        HostNetwork found;
        found.addresses = host;
        found.source4 = ip("192.168.50.10");
        return found;
    };
    CHECK(identity.follow(host, network));
    CHECK(identity.node_ip() == std::vector{ip("192.168.50.10")});
    CHECK_FALSE(identity.follow(host, network));
    CHECK(asked == 1);
    CHECK_FALSE(identity.named_by_node());
}
