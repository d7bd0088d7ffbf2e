#include "proxy/source_ranges.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/proxy/build.hpp"

using namespace proxy;

namespace {

struct Row {
    const char* what;
    std::vector<api::Network> ranges;
    const char* vip;
    const char* allowed;
};

api::Network network(const char* address, int length) {
    return {build::address(address), length};
}

std::string text(const std::optional<std::vector<netlink::AddressRange>>& allowed) {
    if (!allowed)
        return "open";
    std::string all;
    for (const auto& range : *allowed)
        all += (all.empty() ? "" : " ") + range.first.to_string() + "-" + range.last.to_string();
    return all;
}

}  // namespace

TEST_CASE("who may connect to a load balancer's address") {
    const Row rows[] = {
        {"no list", {}, "203.0.113.8", "open"},
        {"one range", {network("10.2.0.0", 16)}, "203.0.113.8", "10.2.0.0-10.2.255.255"},
        {"one host", {network("10.2.0.7", 32)}, "203.0.113.8", "10.2.0.7-10.2.0.7"},
        {"everything", {network("10.2.0.0", 16), network("0.0.0.0", 0)}, "203.0.113.8", "open"},
        {"ranges inside others",
         {network("10.2.0.0", 24), network("10.2.0.0", 16), network("10.2.7.0", 24)},
         "203.0.113.8",
         "10.2.0.0-10.2.255.255"},
        {"neighbours",
         {network("10.2.1.0", 24), network("10.2.0.0", 24)},
         "203.0.113.8",
         "10.2.0.0-10.2.0.255 10.2.1.0-10.2.1.255"},
        {"of the other family only", {network("fd00::", 64)}, "203.0.113.8", "open"},
        {"IPv6",
         {network("fd00:0:0:1::", 64), network("10.0.0.0", 8)},
         "fd00:9::8",
         "fd00:0:0:1::-fd00::1:ffff:ffff:ffff:ffff"},
        {"this node is inside: so is the address itself",
         {network("192.168.50.0", 24)},
         "203.0.113.8",
         "192.168.50.0-192.168.50.255 203.0.113.8-203.0.113.8"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        CHECK(text(allowed_sources(row.ranges, build::address(row.vip), {build::address("192.168.50.10")})) ==
              row.allowed);
    }
    CHECK(only_other_family({network("fd00::", 64)}, build::address("203.0.113.8")));
    CHECK_FALSE(only_other_family({}, build::address("203.0.113.8")));
    CHECK_FALSE(only_other_family({network("10.0.0.0", 8)}, build::address("203.0.113.8")));
}
