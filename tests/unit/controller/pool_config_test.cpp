// The controller's configuration file, and ranges.
#include "proxy/controller/pool_config.hpp"

#include <catch2/catch.hpp>

#include "controller_world.hpp"
#include "proxy/controller/reservations.hpp"

using namespace proxy;

TEST_CASE("a range is a CIDR, two addresses, or one") {
    struct Row {
        const char* text;
        const char* is;  // "": none
        std::uint64_t size;
        std::uint64_t without_buggy;
    };
    const auto [text, is, size, without_buggy] = GENERATE(values<Row>({
        {"192.0.2.0/24", "192.0.2.0-192.0.2.255", 256, 254},
        {"192.0.2.8/30", "192.0.2.8-192.0.2.11", 4, 4},
        {"192.0.2.7", "192.0.2.7", 1, 1},
        {"192.0.2.7/32", "192.0.2.7", 1, 1},
        {"192.0.2.250 - 192.0.3.1", "192.0.2.250-192.0.3.1", 8, 6},
        {"10.0.0.0/8", "10.0.0.0-10.255.255.255", 16'777'216, 16'646'144},
        {"2001:db8::/112", "2001:db8::-2001:db8::ffff", 65'536, 65'536},
        {"2001:db8::ff-2001:db8::100", "2001:db8::ff-2001:db8::100", 2, 2},
        {"2001:db8::/32", "2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 4'294'967'296, 4'294'967'296},
        {"2001:db8::-2001:db8::ffff:ffff:ffff:ffff", "2001:db8::-2001:db8::ffff:ffff:ffff:ffff", 4'294'967'296,
         4'294'967'296},
        {"192.0.2.1/24", "", 0, 0},
        {"192.0.2.9-192.0.2.8", "", 0, 0},
        {"192.0.2.9-2001:db8::1", "", 0, 0},
        {"192.0.2.9-", "", 0, 0},
        {"", "", 0, 0},
    }));
    INFO(text);
    const auto range = parse_address_range(text);
    REQUIRE(range.has_value() == (*is != '\0'));
    if (!range)
        return;
    CHECK(to_string(*range) == is);
    CHECK(count_of(*range, false) == size);
    CHECK(count_of(*range, true) == without_buggy);
    CHECK(parse_address_range(to_string(*range)) == range);
}

TEST_CASE("pools are read") {
    const PoolConfig config = world::config(R"(
load_balancer_class: example.org/lb
services_without_class: true
default_address_class: private
pools:
- name: late
  addresses: [192.0.2.0/24, 2001:db8::/64]
- name: first
  addresses: [198.51.100.7-198.51.100.9]
  auto_assign: false
  avoid_buggy_ips: true
  address_class: public
  priority: 5
  ip_mode: Proxy
  namespaces: [shop, team]
  service_selectors:
  - matchLabels: {tier: front}
    matchExpressions:
    - {key: zone, operator: NotIn, values: [a]}
)");
    CHECK(config.load_balancer_class == "example.org/lb");
    CHECK(config.services_without_class);
    CHECK(config.default_address_class == "private");
    REQUIRE(config.pools.size() == 2);
    const AddressPool& first = config.pools[0];
    CHECK(first.name == "first");
    CHECK((!first.auto_assign && first.avoid_buggy_ips && first.address_class == "public"));
    CHECK(first.ip_mode == api::IpMode::proxy);
    CHECK(first.size(api::Family::ipv4) == 3);
    CHECK(config.pool_of(base::make_address("2001:db8::7")) == config.pool_named("late"));
    CHECK(config.pool_of(base::make_address("10.0.0.1")) == nullptr);

    api::BalancedService service = world::make("web", "team");
    CHECK_FALSE(first.is_for(service));
    service.labels = {{"tier", "front"}};
    CHECK(first.is_for(service));
    service.labels["zone"] = "a";
    CHECK_FALSE(first.is_for(service));
    service.labels["zone"] = "b";
    CHECK(first.is_for(service));
    service.name.space = "other";
    CHECK_FALSE(first.is_for(service));
}

TEST_CASE("a mistake in pools is told with its line and field") {
    struct Row {
        const char* yaml;
        const char* says;
    };
    const auto [yaml, says] = GENERATE(values<Row>({
        {"pool: []", "pools.yaml:1: pool: unknown; did you mean 'pools'?"},
        {"pools:\n- {name: a, addresses: [192.0.2.1/24]}",
         "pools.yaml:2: pools[0].addresses[0]: '192.0.2.1/24' is neither a CIDR"},
        {"pools:\n- {name: a, addresses: []}", "pools[0].addresses: missing"},
        {"pools:\n- {addresses: [192.0.2.1]}", "pools[0].name: missing"},
        {"pools:\n- {name: a, addresses: [192.0.2.1]}\n- {name: a, addresses: [192.0.2.2]}",
         "pools.yaml:3: pools[1].name: 'a' is the name of an earlier pool too"},
        {"pools:\n- {name: a, addresses: [192.0.2.0/24]}\n- {name: b, addresses: [192.0.2.9]}",
         "pools.yaml:3: pools[1].addresses: 192.0.2.9 overlaps 192.0.2.0-192.0.2.255 of pool a"},
        {"pools:\n- {name: a, addresses: [192.0.2.9, 192.0.2.0/24]}", "pools[0].addresses: 192.0.2.0-192.0.2.255"},
        {"pools:\n- {name: a, addresses: [127.0.0.0/8]}", "no Service can have"},
        {"pools:\n- {name: a, addresses: [192.0.2.1], address_class: secret}", "is not one of private, public"},
        {"pools:\n- {name: a, addresses: [192.0.2.1], ip_mode: DSR}", "pools[0].ip_mode"},
        {"pools:\n- {name: a, addresses: [192.0.2.1], auto-assign: true}",
         "pools[0].auto-assign: unknown; did you mean 'auto_assign'?"},
        {"pools:\n- {name: a, addresses: [192.0.2.1], service_selectors: [{matchExpressions: [{key: a, operator: "
         "In}]}]}",
         "pools[0].service_selectors[0].matchExpressions[0].values: missing"},
        {"default_address_class: any", "default_address_class: 'any' is not one of private, public"},
        {"load_balancer_class: 'a b'", "load_balancer_class:"},
        {"- a", "must be a mapping"},
    }));
    INFO(yaml);
    const auto config = read_pool_config(yaml, "pools.yaml");
    REQUIRE_FALSE(config);
    CHECK_THAT(config.error(), Catch::Matchers::Contains(says));
}

TEST_CASE("what is no longer to be written is read as far as it can be") {
    const std::vector<AddressReservation> list{
        {{"shop", "web"}, "u", "17", {base::make_address("192.0.2.1"), base::make_address("2001:db8::1")}},
        {{"shop", "api"}, "v", "18", {}}};
    CHECK(read_reservations(to_text(list)) == list);
    CHECK(to_text({}).empty());
    CHECK(read_reservations("").empty());
    CHECK(read_reservations("[{").empty());
    CHECK(read_reservations("[{\"name\":\"a\",\"addresses\":[\"x\",1,\"192.0.2.1\"]}, 7]").size() == 2);
}
