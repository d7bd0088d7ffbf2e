// What one Service gets, and what it is told.
#include "proxy/controller/assignment.hpp"

#include <catch2/catch.hpp>

#include "controller_world.hpp"

using namespace proxy;
using world::make;

namespace {

constexpr const char* pools = R"(
pools:
- {name: main, addresses: [192.0.2.1-192.0.2.3, "2001:db8::1-2001:db8::2"]}
- {name: old, addresses: [198.51.100.0/24], avoid_buggy_ips: true, auto_assign: false}
- {name: team, addresses: [203.0.113.0/30], auto_assign: false, namespaces: [team]}
- {name: outside, addresses: [203.0.113.8/30], auto_assign: false, address_class: public, ip_mode: Proxy}
- {name: four, addresses: [203.0.113.16/30], auto_assign: false}
)";

api::BalancerIngress at(const std::string& address, api::IpMode mode = api::IpMode::vip) {
    return {base::make_address(address), mode, {}};
}

/// "shop/a=192.0.2.1 ...": who has what.
AddressLedger ledger_of(const std::vector<api::BalancedService>& services, const PoolConfig& config) {
    AddressLedger ledger;
    for (const api::BalancedService& service : services)
        ledger.set(service.name, addresses_of(service.ingress),
                   use_of(service, request_of(service, config).sharing_key, is_ours(service, config)));
    return ledger;
}

/// "192.0.2.1 2001:db8::1 AddressAllocated"
std::string told(const Assignment& assignment) {
    std::string text;
    for (const api::BalancerIngress& ingress : assignment.ingress)
        text += ingress.address->to_string() + (ingress.mode == api::IpMode::proxy ? "/Proxy " : " ");
    return text + std::string(word(assignment.fate));
}

}  // namespace

TEST_CASE("a Service gets an address, or a reason") {
    struct Row {
        const char* why;
        void (*ask)(api::BalancedService&);
        const char* gets;
        const char* says;
    };
    const auto [why, ask, gets, says] = GENERATE(values<Row>({
        {"asks for nothing", [](api::BalancedService&) {}, "192.0.2.2 AddressAllocated", "192.0.2.2 of pool main"},
        {"asks for one", [](api::BalancedService& s) { s.wanted_ip = "192.0.2.3"; }, "192.0.2.3 AddressAllocated",
         "of pool main"},
        {"asks for a taken one", [](api::BalancedService& s) { s.wanted_ip = "192.0.2.1"; }, "AddressTaken",
         "192.0.2.1 is an address of Service shop/first; ask for another one"},
        {"asks for one of no pool", [](api::BalancedService& s) { s.wanted_ip = "192.0.2.9"; }, "AddressNotGiven",
         "192.0.2.9 is in no pool; ask for one of a pool (four, main, old, outside, team), or add it to one"},
        {"asks for one of a pool of others", [](api::BalancedService& s) { s.wanted_ip = "203.0.113.1"; },
         "AddressNotGiven", "not for this Service"},
        {"asks for one that is left out", [](api::BalancedService& s) { s.wanted_ip = "198.51.100.0"; },
         "AddressNotGiven", "pool old leaves out addresses that end in .0 or .255"},
        {"asks for another family", [](api::BalancedService& s) { s.wanted_ip = "2001:db8::1"; }, "WrongFamily",
         "2001:db8::1 is IPv6, which the Service is not"},
        {"asks for no address", [](api::BalancedService& s) { s.wanted_ip = "web"; }, "BadRequest",
         "spec.loadBalancerIP: 'web' is not an IP address"},
        {"asks for DHCP, as kube-vip's do",
         [](api::BalancedService& s) { s.annotations["kube-vip.io/loadbalancerIPs"] = "0.0.0.0"; }, "BadRequest",
         "DHCP"},
        {"says two things",
         [](api::BalancedService& s) {
             s.wanted_ip = "192.0.2.2";
             s.annotations["metallb.io/loadBalancerIPs"] = "192.0.2.3";
         },
         "BadRequest", "contradict each other"},
        {"says a thing twice, as kube-vip's provider does",
         [](api::BalancedService& s) {
             s.wanted_ip = "192.0.2.3";
             s.annotations["kube-vip.io/loadbalancerIPs"] = " 192.0.2.3 ";
         },
         "192.0.2.3 AddressAllocated", ""},
        {"asks for several",
         [](api::BalancedService& s) { s.annotations["podferry.io/load-balancer-ips"] = "192.0.2.3, 192.0.2.2"; },
         "192.0.2.3 192.0.2.2 AddressAllocated", ""},
        {"asks for several, of which one is taken: all or nothing",
         [](api::BalancedService& s) { s.annotations["podferry.io/load-balancer-ips"] = "192.0.2.3,192.0.2.1"; },
         "AddressTaken", "192.0.2.1"},
        {"asks for a pool, in MetalLB's words",
         [](api::BalancedService& s) { s.annotations["metallb.universe.tf/address-pool"] = "old"; },
         "198.51.100.1 AddressAllocated", "of pool old"},
        {"asks for a pool that there is not",
         [](api::BalancedService& s) { s.annotations["podferry.io/address-pool"] = "alt"; }, "UnknownPool",
         "there is no pool 'alt'; there are: four, main, old, outside, team"},
        {"asks for a pool of others",
         [](api::BalancedService& s) { s.annotations["podferry.io/address-pool"] = "team"; }, "NoPool",
         "pool 'team' is not for this Service"},
        {"asks for an address of another pool than it asks for",
         [](api::BalancedService& s) {
             s.annotations["podferry.io/address-pool"] = "old";
             s.wanted_ip = "192.0.2.2";
         },
         "AddressNotGiven", "192.0.2.2 is of pool main, and the Service asks for pool 'old'"},
        {"asks for a class, which only assigns itself if it may",
         [](api::BalancedService& s) { s.annotations["podferry.io/address-class"] = "public"; }, "NoPool",
         "none of address_class public"},
        {"asks for a class and the pool",
         [](api::BalancedService& s) {
             s.annotations["podferry.io/address-class"] = "public";
             s.annotations["podferry.io/address-pool"] = "outside";
         },
         "203.0.113.8/Proxy AddressAllocated", ""},
        {"asks for a class that there is not",
         [](api::BalancedService& s) { s.annotations["podferry.io/address-class"] = "secret"; }, "BadRequest",
         "'secret' is not one of private, public"},
        {"is of both families",
         [](api::BalancedService& s) {
             s.families = {api::Family::ipv6, api::Family::ipv4};
             s.family_policy = api::FamilyPolicy::require_dual_stack;
         },
         "2001:db8::1 192.0.2.2 AddressAllocated", ""},
        {"must be of both, and the pool is not",
         [](api::BalancedService& s) {
             s.families = {api::Family::ipv4, api::Family::ipv6};
             s.family_policy = api::FamilyPolicy::require_dual_stack;
             s.annotations["podferry.io/address-pool"] = "four";
         },
         "203.0.113.16 WrongFamily", "pool four has no IPv6 addresses"},
        {"would like to be of both, and the pool is not",
         [](api::BalancedService& s) {
             s.families = {api::Family::ipv6, api::Family::ipv4};
             s.family_policy = api::FamilyPolicy::prefer_dual_stack;
             s.annotations["podferry.io/address-pool"] = "four";
         },
         "203.0.113.16 AddressAllocated", "pool four has no IPv6 addresses"},
        {"has an address of no pool", [](api::BalancedService& s) { s.ingress = {at("10.9.9.9", api::IpMode::proxy)}; },
         "10.9.9.9/Proxy AddressOutsidePools", "10.9.9.9 is in no pool: the Service keeps what it has"},
        {"has one, and asks for a taken one: it keeps it",
         [](api::BalancedService& s) {
             s.ingress = {at("192.0.2.3")};
             s.wanted_ip = "192.0.2.1";
         },
         "192.0.2.3 AddressTaken", "it keeps 192.0.2.3 of pool main"},
        {"has one, and asks for another",
         [](api::BalancedService& s) {
             s.ingress = {at("192.0.2.3")};
             s.wanted_ip = "192.0.2.2";
         },
         "192.0.2.2 AddressAllocated", ""},
        {"has one, and asks for another pool",
         [](api::BalancedService& s) {
             s.ingress = {at("192.0.2.3")};
             s.annotations["podferry.io/address-pool"] = "four";
         },
         "203.0.113.16 AddressAllocated", ""},
        {"has the mode that its pool had", [](api::BalancedService& s) { s.ingress = {at("203.0.113.9")}; },
         "203.0.113.9/Proxy AddressAllocated", ""},
        {"has an address that an older Service has", [](api::BalancedService& s) { s.ingress = {at("192.0.2.1")}; },
         "192.0.2.2 AddressAllocated", ""},
        {"is no longer of a family that it has an address of",
         [](api::BalancedService& s) { s.ingress = {at("2001:db8::2"), at("192.0.2.3")}; },
         "192.0.2.3 AddressAllocated", ""},
        {"is about to go", [](api::BalancedService& s) { s.terminating = true; }, "AddressAllocated", ""},
    }));
    INFO(why);
    const PoolConfig config = world::config(pools);
    api::BalancedService first = make("first");
    first.ingress = {at("192.0.2.1")};
    api::BalancedService second = make("second");
    second.created = std::chrono::sys_seconds(std::chrono::seconds(5));
    ask(second);
    const Assignment assignment = assign(second, {}, config, ledger_of({first, second}, config));
    CHECK(told(assignment) == gets);
    CHECK_THAT(assignment.message, Catch::Matchers::Contains(says));
}

TEST_CASE("who waits for an address is told so, and whoever shares one needs none") {
    const PoolConfig config = world::config("pools: [{name: one, addresses: [192.0.2.1]}]");
    api::BalancedService first = make("first");
    first.ingress = {at("192.0.2.1")};
    api::BalancedService second = make("second");
    second.created = std::chrono::sys_seconds(std::chrono::seconds(5));
    const Assignment full = assign(second, {}, config, ledger_of({first, second}, config));
    CHECK(told(full) == "PoolExhausted");
    CHECK(full.waits);
    CHECK(full.message ==
          "no IPv4 address is free in pool one; add addresses to it, or delete a Service that has one; "
          "it is tried again when one is free");

    first.annotations["metallb.universe.tf/allow-shared-ip"] = "web";
    second.annotations["podferry.io/allow-shared-ip"] = "web";
    CHECK(told(assign(second, {}, config, ledger_of({first, second}, config))) == "PoolExhausted");  // the same port
    second.backend.ports = {{api::Protocol::udp, 80}};
    CHECK(told(assign(second, {}, config, ledger_of({first, second}, config))) == "192.0.2.1 AddressAllocated");
    second.backend.external_traffic_policy = api::TrafficPolicy::local;
    CHECK(told(assign(second, {}, config, ledger_of({first, second}, config))) == "PoolExhausted");
    first.backend.external_traffic_policy = api::TrafficPolicy::local;
    CHECK(told(assign(second, {}, config, ledger_of({first, second}, config))) == "192.0.2.1 AddressAllocated");
    second.backend.selector = {{"app", "other"}};
    CHECK(told(assign(second, {}, config, ledger_of({first, second}, config))) == "PoolExhausted");
}

TEST_CASE("a Service is given addresses if its class is ours, or it has none and that is ours") {
    struct Row {
        const char* of_service;
        bool without;
        bool hostname;
        bool ours;
    };
    const auto [of_service, without, hostname, ours] = GENERATE(values<Row>({
        {"podferry.io/edge", false, false, true},
        {"podferry.io/edge", false, true, true},
        {"example.org/other", true, false, false},
        {"", false, false, false},
        {"", true, false, true},
        {"", true, true, false},  // a cloud's
    }));
    PoolConfig config;
    config.services_without_class = without;
    api::BalancedService service = make("web");
    service.balancer_class = of_service;
    if (hostname)
        service.ingress = {{std::nullopt, api::IpMode::vip, "lb.example.org"}};
    CHECK(is_ours(service, config) == ours);
    service.is_balancer = false;
    CHECK_FALSE(is_ours(service, config));
}
