// The texts that go to the API server and come from it.
#include "proxy/controller/api_texts.hpp"

#include <catch2/catch.hpp>

#include "controller_world.hpp"

using namespace proxy;
using namespace std::chrono_literals;

namespace {

const WallTime noon = std::chrono::sys_days(std::chrono::year(2026) / 1 / 31) + 12h + 250ms;

}  // namespace

TEST_CASE("a Lease is written as client-go's elector writes it") {
    struct Row {
        LeaseClaim claim;
        const char* text;
    };
    LeaseClaim renewing{"me", 15s, false, 4, "[1]", noon};
    LeaseClaim taking = renewing;
    taking.taking = true;
    taking.reservations.clear();
    LeaseClaim releasing = renewing;
    releasing.holder.clear();
    const auto [claim, text] = GENERATE_COPY(values<Row>({
        {renewing,
         R"({"metadata":{"resourceVersion":"7","annotations":{"podferry.io/address-reservations":"[1]"}},"spec":)"
         R"({"holderIdentity":"me","leaseDurationSeconds":15,"renewTime":"2026-01-31T12:00:00.250000Z",)"
         R"("leaseTransitions":4}})"},
        {taking,
         R"({"metadata":{"resourceVersion":"7","annotations":{"podferry.io/address-reservations":null}},"spec":)"
         R"({"holderIdentity":"me","leaseDurationSeconds":15,"renewTime":"2026-01-31T12:00:00.250000Z",)"
         R"("leaseTransitions":5,"acquireTime":"2026-01-31T12:00:00.250000Z"}})"},
        {releasing,
         R"({"metadata":{"resourceVersion":"7","annotations":{"podferry.io/address-reservations":"[1]"}},"spec":)"
         R"({"holderIdentity":"","leaseDurationSeconds":1,"renewTime":"2026-01-31T12:00:00.250000Z",)"
         R"("leaseTransitions":4,"acquireTime":"2026-01-31T12:00:00.250000Z"}})"},
    }));
    CHECK(lease_patch("7", claim) == text);
}

TEST_CASE("a Lease is read") {
    const auto record = read_lease(R"({"kind":"Lease","metadata":{"resourceVersion":"9","annotations":)"
                                   R"({"podferry.io/address-reservations":"[]","other":"x"}},"spec":{"holderIdentity":)"
                                   R"("me","leaseDurationSeconds":15,"leaseTransitions":2,)"
                                   R"("acquireTime":"2026-01-31T12:00:00.000000Z"}})");
    REQUIRE(record);
    CHECK(*record == LeaseRecord{"9", "me", 15s, "2026-01-31T12:00:00.000000Z", 2, "[]"});
    CHECK(read_lease(R"({"kind":"Lease","metadata":{"resourceVersion":"9"}})")->holder.empty());
    const char* bad = GENERATE("", "[]", "{", R"({"kind":"Status","metadata":{"resourceVersion":"9"}})",
                               R"({"kind":"Lease","metadata":{}})");
    CHECK_FALSE(read_lease(bad));
}

TEST_CASE("a status is patched on the condition that the Service has not changed") {
    StatusWrite write{{"shop", "web"}, "u1", "17", {}, true, true, {}, false, true, {}};
    write.ingress = {{base::make_address("192.0.2.1"), api::IpMode::vip, {}},
                     {base::make_address("2001:db8::1"), api::IpMode::proxy, {}}};
    write.condition = {"True", "AddressAllocated", "192.0.2.1 of pool p"};
    CHECK(status_patch(write, noon) ==
          R"({"metadata":{"resourceVersion":"17","uid":"u1"},"status":{"conditions":[{"type":)"
          R"("podferry.io/LoadBalancerAddress","status":"True","reason":"AddressAllocated","message":)"
          R"("192.0.2.1 of pool p","lastTransitionTime":"2026-01-31T12:00:00Z"}],"loadBalancer":{"ingress":)"
          R"([{"ip":"192.0.2.1","ipMode":"VIP"},{"ip":"2001:db8::1","ipMode":"Proxy"}]}}})");
    write.ingress.clear();
    write.condition.reset();
    CHECK(status_patch(write, noon) ==
          R"({"metadata":{"resourceVersion":"17","uid":"u1"},"status":{"conditions":[{"$patch":"delete","type":)"
          R"("podferry.io/LoadBalancerAddress"}],"loadBalancer":{"ingress":null}}})");
    write.changes_ingress = false;
    CHECK_THAT(status_patch(write, noon), !Catch::Matchers::Contains("loadBalancer\""));
}

TEST_CASE("of a Service is read what counts for its addresses") {
    const BalancedServicePtr service = read_service(R"({"apiVersion":"v1","kind":"Service","metadata":{
        "name":"web","namespace":"shop","uid":"u1","resourceVersion":"17","creationTimestamp":"2026-01-31T12:00:00Z",
        "labels":{"tier":"front"},"annotations":{"metallb.io/address-pool":"p","kubectl.kubernetes.io/x":"long"}},
        "spec":{"type":"LoadBalancer","loadBalancerClass":"podferry.io/edge","loadBalancerIP":"192.0.2.1",
        "ipFamilies":["IPv6","IPv4"],"ipFamilyPolicy":"PreferDualStack","externalTrafficPolicy":"Local",
        "selector":{"app":"web"},"ports":[{"port":80,"protocol":"UDP"},{"port":443}]},
        "status":{"loadBalancer":{"ingress":[{"ip":"192.0.2.1","ipMode":"Proxy"},{"hostname":"a.example.org"}]},
        "conditions":[{"type":"Other","status":"True"},{"type":"podferry.io/LoadBalancerAddress","status":"False",
        "reason":"PoolExhausted","message":"none is free"}]}})");
    REQUIRE(service);
    api::BalancedService expected;
    expected.name = {"shop", "web"};
    expected.uid = "u1";
    expected.version = "17";
    expected.created = std::chrono::floor<std::chrono::seconds>(noon);
    expected.is_balancer = true;
    expected.labels = {{"tier", "front"}};
    expected.annotations = {{"metallb.io/address-pool", "p"}};
    expected.balancer_class = "podferry.io/edge";
    expected.wanted_ip = "192.0.2.1";
    expected.families = {api::Family::ipv6, api::Family::ipv4};
    expected.family_policy = api::FamilyPolicy::prefer_dual_stack;
    expected.backend.ports = {{api::Protocol::udp, 80}, {api::Protocol::tcp, 443}};
    expected.backend.selector = {{"app", "web"}};
    expected.backend.external_traffic_policy = api::TrafficPolicy::local;
    expected.ingress = {{base::make_address("192.0.2.1"), api::IpMode::proxy, {}},
                        {std::nullopt, api::IpMode::vip, "a.example.org"}};
    expected.condition = {"False", "PoolExhausted", "none is free"};
    CHECK(*service == expected);
    CHECK_FALSE(read_service("{}"));
    CHECK_FALSE(read_service("["));
}
