#include "proxy/plan/source_ranges.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/proxy/build.hpp"

using namespace proxy;

namespace {

struct Row {
    const char* what;
    std::vector<base::Prefix> ranges;
    const char* vip;
    const char* allowed;
};

base::Prefix network(const char* address, int length) {
    return {build::address(address), length};
}

std::string text(const AllowedSources& sources, const api::Address& vip) {
    if (sources.everybody())
        return "open";
    std::string all;
    const auto add = [&](const base::Prefix& one) {
        all += (all.empty() ? "" : " ") + one.address.to_string() + "/" + std::to_string(one.length);
    };
    for (const auto& one : sources.networks())
        add(*one);
    if (const auto also = sources.also(vip))
        add(*also);
    return all;
}

}  // namespace

TEST_CASE("who may connect to a load balancer's address") {
    const Row rows[] = {
        {"no list", {}, "203.0.113.8", "open"},
        {"one range", {network("10.2.0.0", 16)}, "203.0.113.8", "10.2.0.0/16"},
        {"one host", {network("10.2.0.7", 32)}, "203.0.113.8", "10.2.0.7/32"},
        {"a length without a set",
         {network("10.2.4.0", 22)},
         "203.0.113.8",
         "10.2.4.0/24 10.2.5.0/24 10.2.6.0/24 10.2.7.0/24"},
        {"the most parts",
         {network("128.0.0.0", 1)},
         "203.0.113.8",
         "128.0.0.0/4 144.0.0.0/4 160.0.0.0/4 176.0.0.0/4 192.0.0.0/4 208.0.0.0/4 224.0.0.0/4 240.0.0.0/4"},
        {"two hosts", {network("10.2.0.6", 31)}, "203.0.113.8", "10.2.0.6/32 10.2.0.7/32"},
        {"inside one that has parts",
         {network("10.2.7.0", 24), network("10.2.4.0", 22), network("10.2.8.0", 24)},
         "203.0.113.8",
         "10.2.4.0/24 10.2.5.0/24 10.2.6.0/24 10.2.7.0/24 10.2.8.0/24"},
        {"IPv6 between two bytes",
         {network("fd00:0:0:c::", 62)},
         "fd00:9::8",
         "fd00:0:0:c::/64 fd00:0:0:d::/64 fd00:0:0:e::/64 fd00:0:0:f::/64"},
        {"IPv6 inside a byte", {network("fd00:0:0:20::", 59)}, "fd00:9::8", "fd00:0:0:20::/60 fd00:0:0:30::/60"},
        {"everything", {network("10.2.0.0", 16), network("0.0.0.0", 0)}, "203.0.113.8", "open"},
        {"ranges inside others",
         {network("10.2.0.0", 24), network("10.2.0.0", 16), network("10.2.7.0", 24)},
         "203.0.113.8",
         "10.2.0.0/16"},
        {"neighbours", {network("10.2.1.0", 24), network("10.2.0.0", 24)}, "203.0.113.8", "10.2.0.0/24 10.2.1.0/24"},
        {"of the other family only", {network("fd00::", 64)}, "203.0.113.8", "open"},
        {"IPv6", {network("fd00:0:0:1::", 64), network("10.0.0.0", 8)}, "fd00:9::8", "fd00:0:0:1::/64"},
        {"this node is inside: so is the address itself",
         {network("192.168.50.0", 24)},
         "203.0.113.8",
         "192.168.50.0/24 203.0.113.8/32"},
        {"this node and the address are inside",
         {network("192.168.50.0", 24), network("203.0.113.0", 24)},
         "203.0.113.8",
         "192.168.50.0/24 203.0.113.0/24"},
        {"this node is just behind", {network("192.168.50.8", 31)}, "203.0.113.8", "192.168.50.8/32 192.168.50.9/32"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        const auto vip = build::address(row.vip);
        const AllowedSources sources(row.ranges, vip.is_v6(), {build::address("192.168.50.10")});
        CHECK(text(sources, vip) == row.allowed);
    }
    CHECK(only_other_family({network("fd00::", 64)}, false));
    CHECK_FALSE(only_other_family({}, false));
    CHECK_FALSE(only_other_family({network("10.0.0.0", 8)}, false));
}
