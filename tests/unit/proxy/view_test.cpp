// What the operator reads: tables from the JSON that the node serves.
#include "proxy/view.hpp"

#include <catch2/catch.hpp>

using namespace proxy;

TEST_CASE("services as a table") {
    ServiceView web{{"shop", "web"}, "NodePort", {"10.96.0.5"}, {"203.0.113.7"}, {}};
    web.ports.push_back(
        {"http", "tcp", 80, 30080, {{"10.1.0.11", 8080, 1, "active"}, {"fd00::12", 8080, 0, "failed probe"}}});
    ServiceView empty{{"shop", "empty"}, "ClusterIP", {"10.96.0.6"}, {}, {{"", "udp", 53, 0, {}}}};
    CHECK(services_table(to_json(std::vector{web, empty})) ==
          "NAMESPACE  NAME   TYPE       ADDRESSES              PORT    NODEPORT  BACKENDS\n"
          "shop       web    NodePort   10.96.0.5,203.0.113.7  80/tcp  30080     10.1.0.11:8080 "
          "[fd00::12]:8080(failed probe)\n"
          "shop       empty  ClusterIP  10.96.0.6              53/udp  -         none: connections are refused\n");
    CHECK(services_table("[]") == "no Services with an address\n");
}

TEST_CASE("the status names what keeps the node from being ready, how full ranges are, and problems") {
    StatusView status;
    status.waiting_for = "the first programming of the kernel";
    status.ranges = {{"10.96.0.0/24", 254, 127}};
    status.problems = {{{"a.yaml", 3}, "Service shop/web", "spec.ports: missing", false},
                       {{"b.yaml", 1}, "", "kind: objects of kind Job are not used here", true}};
    const std::string table = status_table(to_json(status));
    CHECK_THAT(table, Catch::Contains("ready              no: the first programming of the kernel\n"));
    CHECK_THAT(table, Catch::Contains("10.96.0.0/24  127 of 254 in use (50.0 %)\n"));
    CHECK_THAT(table, Catch::Contains("  error: a.yaml:3: Service shop/web: spec.ports: missing\n"));
    CHECK_THAT(table, Catch::Contains("  warning: b.yaml:1: kind: objects of kind Job are not used here\n"));
}
