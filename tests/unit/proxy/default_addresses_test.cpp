// Which addresses are the node's where nobody names them.
#include "proxy/host/default_addresses.hpp"

#include <catch2/catch.hpp>

#include <sstream>

#include "base/prefix.hpp"
#include "build.hpp"

using namespace proxy;

namespace {

/// "eth0 192.0.2.10, eth0 2001:db8::10 passing, ..."
std::vector<netlink::HostAddress> addresses(const std::string& text) {
    std::vector<netlink::HostAddress> all;
    std::istringstream items(text);
    for (std::string item; std::getline(items, item, ',');) {
        std::istringstream words(item);
        netlink::HostAddress one;
        std::string address;
        std::string more;
        words >> one.interface >> address >> more;
        one.address = build::address(address);
        one.passing = more == "passing";
        all.push_back(one);
    }
    return all;
}

/// Default routes: "4 eth0, 6 eth1 metric 10, 4 eth1 src 192.0.2.9".
std::vector<netlink::HostRoute> routes(const std::string& text) {
    std::vector<netlink::HostRoute> all;
    std::istringstream items(text);
    for (std::string item; std::getline(items, item, ',');) {
        std::istringstream words(item);
        netlink::HostRoute one;
        std::string family;
        words >> family >> one.interface;
        one.destination.address = build::address(family == "6" ? "::" : "0.0.0.0");
        for (std::string key, value; words >> key >> value;)
            if (key == "metric")
                one.metric = static_cast<std::uint32_t>(std::stoul(value));
            else
                one.source = build::address(value);
        all.push_back(one);
    }
    return all;
}

std::optional<Address> source(const std::string& text) {
    return text.empty() ? std::nullopt : std::optional(build::address(text));
}

std::string print(const std::vector<Address>& all) {
    std::string text;
    for (const Address& address : all)
        text += (text.empty() ? "" : " ") + address.to_string();
    return text;
}

}  // namespace

TEST_CASE("the node's addresses are judged for each family by itself") {
    struct Row {
        const char* what;
        const char* addresses;
        const char* routes;
        const char* source4;
        const char* source6;
        const char* chosen;
    };
    const char* const dual = "eth0 192.0.2.10,eth0 2001:db8::10,eth0 fe80::1,veth0 10.1.0.1";
    const char* const two = "eth1 192.0.3.10,eth0 192.0.2.10,eth1 2001:db8:1::10,eth0 2001:db8::10";
    const Row rows[] = {
        {"a default route of each", dual, "4 eth0,6 eth0", "192.0.2.10", "2001:db8::10", "192.0.2.10 2001:db8::10"},
        {"of IPv6 only", dual, "6 eth0", "", "2001:db8::10", "192.0.2.10 2001:db8::10"},
        {"of IPv4 only", dual, "4 eth0", "192.0.2.10", "", "192.0.2.10 2001:db8::10"},
        {"none: who could say which one", dual, "", "", "", ""},
        {"an interface of one family", "eth0 2001:db8::10,veth0 10.1.0.1", "6 eth0", "", "2001:db8::10",
         "2001:db8::10"},
        {"an address that is passing is none", "eth0 192.0.2.10,eth0 2001:db8::99 passing,eth0 2001:db8::10", "4 eth0",
         "192.0.2.10", "", "192.0.2.10 2001:db8::10"},
        {"link-local is none", "eth0 192.0.2.10,eth0 fe80::1", "4 eth0", "192.0.2.10", "", "192.0.2.10"},
        {"several next hops: not by chance", two, "4 eth1,4 eth0,6 eth0,6 eth1", "192.0.3.10", "2001:db8:1::10",
         "192.0.2.10 2001:db8::10"},
        {"several next hops with src", two, "4 eth0 src 192.0.9.1,4 eth1 src 192.0.9.1", "192.0.9.1", "",
         "192.0.9.1 2001:db8::10"},
        {"several next hops by interfaces without an address", "lo 192.0.9.1,eth0 fe80::1,eth1 fe80::2",
         "4 eth0,4 eth1", "192.0.9.1", "", "192.0.9.1"},
        {"another metric is another route", two, "4 eth1 metric 10,4 eth0 metric 20", "192.0.3.10", "",
         "192.0.3.10 2001:db8:1::10"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        const HostNetwork host{addresses(row.addresses), routes(row.routes), source(row.source4), source(row.source6)};
        CHECK(print(default_addresses(host)) == row.chosen);
    }
    const HostNetwork host{addresses(dual), routes("4 eth0"), source("192.0.2.10"), {}};
    CHECK(print(with_missing_families({build::address("192.0.2.77")}, host)) == "192.0.2.77 2001:db8::10");
}

TEST_CASE("a family of which node ports are nowhere is named") {
    struct Row {
        const char* what;
        std::vector<const char*> ranges;
        const char* selection;  // node_port_addresses; empty: none
        std::vector<const char*> served;
        std::vector<const char*> words;  // one for each problem
    };
    const Row rows[] = {
        {"both are there", {"10.96.0.0/16", "fd00:96::/112"}, "", {"192.0.2.1", "2001:db8::1"}, {}},
        {"IPv4 is not",
         {"10.96.0.0/16", "fd00:96::/112"},
         "",
         {"2001:db8::1"},
         {"node ports of IPv4 are served nowhere"}},
        {"IPv6 is not",
         {"10.96.0.0/16", "fd00:96::/112"},
         "",
         {"192.0.2.1"},
         {"node ports of IPv6 are served nowhere"}},
        {"a family without Services is not missed", {"10.96.0.0/16"}, "", {"192.0.2.1"}, {}},
        {"no ranges are known", {}, "", {"192.0.2.1"}, {}},
        {"no ranges, no addresses", {}, "", {}, {"node ports are served nowhere"}},
        {"the setting selects none", {"10.96.0.0/16"}, "192.0.9.0/24", {}, {"node_port_addresses selects no address"}},
        {"nothing at all", {"10.96.0.0/16", "fd00:96::/112"}, "", {}, {"of IPv4 are", "of IPv6 are"}},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        Config config = default_config();
        config.service_cluster_ip_range.clear();
        for (const char* range : row.ranges)
            config.service_cluster_ip_range.push_back(*base::parse_prefix(range));
        if (*row.selection != '\0')
            config.node_port_addresses = {*base::parse_prefix(row.selection)};
        std::vector<Address> served;
        for (const char* address : row.served)
            served.push_back(build::address(address));
        const auto problems = node_port_problems(config, served);
        REQUIRE(problems.size() == row.words.size());
        for (std::size_t i = 0; i < problems.size(); ++i)
            CHECK_THAT(problems[i], Catch::Contains(row.words[i]));
    }
}
