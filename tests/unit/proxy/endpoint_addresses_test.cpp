// Which addresses can be endpoints.
#include "proxy/plan/endpoint_addresses.hpp"

#include <catch2/catch.hpp>

#include "engine_world.hpp"

using namespace proxy;
using build::address;

TEST_CASE("endpoints that no pod can have are left out, the others stay") {
    struct Row {
        const char* address;
        const char* why;  // nullptr: it stays
    };
    const auto row =
        GENERATE(Row{"10.1.0.12", nullptr}, Row{"192.168.50.10", nullptr}, Row{"10.96.0.5", "in a range of ClusterIPs"},
                 Row{"10.96.0.200", "in a range of ClusterIPs"}, Row{"172.30.0.7", "a ClusterIP"},
                 Row{"127.0.0.1", "a loopback address"}, Row{"0.0.0.0", "an unspecified address"},
                 Row{"224.0.0.1", "a multicast address"}, Row{"169.254.0.9", "a link-local address"},
                 Row{"255.255.255.255", "a broadcast address"}, Row{"192.168.50.255", "a broadcast address"});
    CAPTURE(row.address);
    ClaimFacts facts;
    facts.service_ranges = {*base::parse_prefix("10.96.0.0/24")};
    facts.broadcasts = {address("192.168.50.255")};
    AddressBook book;
    book.put({"shop", "db"}, {address("172.30.0.7")});
    std::vector<api::PortEndpoints> endpoints = {{0, build::endpoints("1lr 2r")}, {1, build::endpoints("1lr")}};
    for (api::PortEndpoints& group : endpoints) {
        group.endpoints.push_back(group.endpoints[0]);
        group.endpoints.back().address = address(row.address);
    }
    const auto dropped = drop_impossible(endpoints, facts, book);
    CHECK(endpoints[0].endpoints.size() == (row.why == nullptr ? 3 : 2));
    CHECK(endpoints[1].endpoints.size() == (row.why == nullptr ? 2 : 1));
    REQUIRE(dropped.problems.size() == (row.why == nullptr ? 0 : 1));
    if (row.why != nullptr) {
        CHECK_THAT(dropped.problems[0], Catch::StartsWith(std::string("endpoints: ") + row.address + " is " + row.why));
    }
}

TEST_CASE("a Service's own ClusterIP is no endpoint of it, and that is a problem") {
    build::World world;
    world.apply(build::transaction({build::service("web", "10.96.0.5"), build::pod("web", "web-1", "10.1.0.11", false),
                                    build::pod("web", "web-2", "10.96.0.5", false)},
                                   true));
    CHECK(world.backends("10.96.0.5") == "10.1.0.11=1");
    CHECK_THAT(world.only_problem(), Catch::Contains("endpoints: 10.96.0.5 is in a range of ClusterIPs"));
    world.apply(build::removal(api::Kind::pod, "web-2"));
    CHECK(problems_of(world.engine).empty());
}

TEST_CASE("many impossible endpoints are told of in a few sentences") {
    std::vector<api::PortEndpoints> endpoints(1);
    for (int i = 1; i < 100; ++i) {
        api::ResolvedEndpoint endpoint;
        endpoint.address = address("127.0.0." + std::to_string(i));
        endpoints[0].endpoints.push_back(endpoint);
    }
    const auto dropped = drop_impossible(endpoints, {}, {});
    REQUIRE(dropped.problems.size() == 5);
    CHECK(dropped.problems.back() == "endpoints: 95 more are left out for such reasons");
}
