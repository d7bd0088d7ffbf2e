// What this host contributes to the configuration.
#include "proxy/host/host.hpp"

#include <catch2/catch.hpp>

#include <sstream>

#include "build.hpp"

using namespace proxy;

namespace {

std::vector<Address> addresses(const std::string& text) {
    std::vector<Address> all;
    std::istringstream words(text);
    for (std::string word; words >> word;)
        all.push_back(build::address(word));
    return all;
}

std::vector<netlink::HostAddress> on_interfaces(const std::string& text) {
    std::vector<netlink::HostAddress> all;
    for (const Address& address : addresses(text)) {
        netlink::HostAddress host;
        host.interface = "eth0";
        host.address = address;
        host.prefix_length = address.is_v6() ? 64 : 24;
        all.push_back(host);
    }
    return all;
}

}  // namespace

TEST_CASE("the node's addresses: by setting, Node object, interface") {
    struct Row {
        const char* what;
        bool given;
        const char* node_ip;  // the setting, or the sources of the default routes
        const char* node;     // the Node object's
        const char* host;     // the interfaces'
        const char* chosen;
    };
    const Row rows[] = {
        {"the setting wins", true, "192.0.2.1", "192.0.2.2", "192.0.2.1 192.0.2.2", "192.0.2.1"},
        {"also for the family that it does not name", true, "192.0.2.1", "192.0.2.2 2001:db8::2",
         "192.0.2.1 192.0.2.2 2001:db8::2", "192.0.2.1"},
        {"the Node object before the default route", false, "192.0.2.1", "192.0.2.2", "192.0.2.1 192.0.2.2",
         "192.0.2.2"},
        {"its first of each family", false, "192.0.2.1", "192.0.2.2 192.0.2.3 2001:db8::2 2001:db8::3",
         "192.0.2.1 192.0.2.2 192.0.2.3 2001:db8::2 2001:db8::3", "192.0.2.2 2001:db8::2"},
        {"IPv6 first", false, "", "2001:db8::2 192.0.2.2", "192.0.2.2 2001:db8::2", "2001:db8::2 192.0.2.2"},
        {"only one family", false, "192.0.2.1 2001:db8::1", "192.0.2.2", "192.0.2.1 192.0.2.2 2001:db8::1",
         "192.0.2.2"},
        {"an address that no interface has is passed over", false, "192.0.2.1", "203.0.113.9 192.0.2.2",
         "192.0.2.1 192.0.2.2", "192.0.2.2"},
        {"none that an interface has", false, "192.0.2.1", "203.0.113.9", "192.0.2.1", "192.0.2.1"},
        {"no Node object", false, "192.0.2.1 2001:db8::1", "", "192.0.2.1 2001:db8::1", "192.0.2.1 2001:db8::1"},
        {"nothing at all", false, "", "", "127.0.0.1", ""},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        CHECK(node_ips_of({row.given, addresses(row.node_ip), addresses(row.node)}, on_interfaces(row.host)) ==
              addresses(row.chosen));
    }
}
