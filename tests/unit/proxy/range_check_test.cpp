// Ranges against the node's network.
#include "proxy/host/range_check.hpp"

#include <catch2/catch.hpp>

using namespace proxy;

namespace {

Config config_with(const std::string& services, bool allowed = false) {
    Config config = default_config();
    config.service_cluster_ip_range = {*base::parse_prefix(services)};
    config.allow_range_overlap = allowed;
    return config;
}

}  // namespace

TEST_CASE("a service range that overlaps the node's network is an error that names both") {
    const std::vector<NodeNetwork> networks = {{*base::parse_prefix("192.168.50.0/24"), "interface eth0's subnet"},
                                               {*base::parse_prefix("0.0.0.0/0"), "the default route"}};
    const auto findings = check_ranges(config_with("192.168.0.0/16"), networks);
    REQUIRE(findings.errors.size() == 1);
    CHECK_THAT(findings.errors[0], Catch::StartsWith("service_cluster_ip_range 192.168.0.0/16 overlaps 192.168.50.0/24 "
                                                     "(interface eth0's subnet): "));
    CHECK(check_ranges(config_with("192.168.0.0/16", true), networks).errors.empty());
    CHECK(check_ranges(config_with("192.168.0.0/16", true), networks).warnings.size() == 1);
    CHECK(check_ranges(config_with("10.96.0.0/16"), networks).errors.empty());
}

TEST_CASE("a range outside private address space is a warning") {
    struct Row {
        const char* range;
        std::size_t warnings;
    };
    const auto row =
        GENERATE(Row{"10.0.0.0/8", 0}, Row{"172.16.0.0/16", 0}, Row{"172.0.0.0/8", 1}, Row{"100.64.0.0/16", 0},
                 Row{"8.8.0.0/16", 1}, Row{"fd00::/112", 0}, Row{"2001:db8::/112", 1});
    CHECK(check_ranges(config_with(row.range), {}).warnings.size() == row.warnings);
}

TEST_CASE("prefixes: parsing, containing, overlapping, counting") {
    CHECK_FALSE(base::parse_prefix("10.0.0.0"));
    CHECK_FALSE(base::parse_prefix("10.0.0.0/33"));
    CHECK_FALSE(base::parse_prefix("10.0.0.1/31"));
    CHECK_FALSE(base::parse_prefix("fd00::1/64"));
    CHECK_FALSE(base::parse_prefix("10.0.0.0/8x"));
    CHECK(contains(*base::parse_prefix("10.0.0.0/9"), base::make_address("10.127.255.255")));
    CHECK_FALSE(contains(*base::parse_prefix("10.0.0.0/9"), base::make_address("10.128.0.0")));
    CHECK_FALSE(contains(*base::parse_prefix("0.0.0.0/0"), base::make_address("::1")));
    CHECK(overlap(*base::parse_prefix("10.0.0.0/8"), *base::parse_prefix("10.96.0.0/16")));
    CHECK_FALSE(overlap(*base::parse_prefix("10.0.0.0/16"), *base::parse_prefix("10.96.0.0/16")));
    CHECK(size_of(*base::parse_prefix("10.0.0.0/24")) == 256);
    CHECK(base::address_at(*base::parse_prefix("10.0.0.0/16"), 257).to_string() == "10.0.1.1");
    CHECK(base::address_at(*base::parse_prefix("fd00::/64"), 0x10001).to_string() == "fd00::1:1");
}
