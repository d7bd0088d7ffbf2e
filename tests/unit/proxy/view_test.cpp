// What the operator reads: tables from the JSON that the node serves.
#include "proxy/engine/view.hpp"

#include <catch2/catch.hpp>

using namespace proxy;

namespace {

const BackendView one{"10.1.0.11", 8080, 1, "active"};
const BackendView two{"fd00::12", 8080, 0, "failed probe"};
const BackendView three{"10.1.0.13", 8080, 30, "slow start"};

FrontEndView front_end(const char* kind, const char* address, std::uint16_t port, const char* policy,
                       const ReachView& outside, const ReachView& inside) {
    return {kind, address, port, "tcp", "", policy, "", {}, outside, inside};
}

}  // namespace

TEST_CASE("services as a table: a line for each front end, or two where clients differ") {
    const ReachView all{"carried", {one, two, three}};
    ServiceView web{{"shop", "web"}, "LoadBalancer", {}, {}};
    web.front_ends = {front_end("ClusterIP", "10.96.0.5", 80, "Cluster", all, all),
                      front_end("external IP", "203.0.113.7", 80, "Local", {"waits", {}}, {"waits", {}}),
                      front_end("load balancer", "203.0.113.8", 80, "Local", {"dropped", {}}, all),
                      front_end("node port", "192.168.50.10", 30080, "Local", {"carried", {one}}, {"carried", {one}}),
                      front_end("node port", "192.168.60.10", 30080, "Local", {"carried", {one}}, {"carried", {one}})};
    web.front_ends[1].waits_for = "shop/old";
    web.front_ends[2].only_from = {"10.0.0.0/8", "192.0.2.0/24"};
    web.leftover = {{"10.1.0.14", 8080, 0, "draining"}};
    ServiceView empty{{"shop", "empty"}, "ClusterIP", {}, {}};
    empty.front_ends = {front_end("ClusterIP", "fd00:96::6", 53, "Cluster", {"refused", {two}}, {"refused", {two}}),
                        front_end("external IP", "fd00::7", 53, "Cluster", {"not served", {}}, {"not served", {}})};
    CHECK("\n" + services_table(to_json(ServicesView{"", {web, empty}})) == R"(
NAMESPACE  NAME   TYPE          FRONT END                              KIND                POLICY   CLIENTS                                      ENDPOINTS
shop       web    LoadBalancer  10.96.0.5:80/tcp                       ClusterIP           Cluster  all                                          10.1.0.11:8080 [fd00::12]:8080(failed probe) 10.1.0.13:8080(slow start 30)
shop       web    LoadBalancer  203.0.113.7:80/tcp                     external IP         Local    all                                          waits for shop/old
shop       web    LoadBalancer  203.0.113.8:80/tcp                     load balancer       Local    outside (only from 10.0.0.0/8,192.0.2.0/24)  none on this node: connections are dropped
shop       web    LoadBalancer                                                                      inside (only from 10.0.0.0/8,192.0.2.0/24)   10.1.0.11:8080 [fd00::12]:8080(failed probe) 10.1.0.13:8080(slow start 30)
shop       web    LoadBalancer  192.168.50.10,192.168.60.10:30080/tcp  node port           Local    all                                          10.1.0.11:8080
shop       web    LoadBalancer  -                                      no new connections  -        -                                            10.1.0.14:8080(draining)
shop       empty  ClusterIP     [fd00:96::6]:53/tcp                    ClusterIP           Cluster  all                                          none: connections are refused; [fd00::12]:8080(failed probe)
shop       empty  ClusterIP     [fd00::7]:53/tcp                       external IP         Cluster  all                                          not served; podferry status says why
)");
    const std::string none = to_json(ServicesView{});
    CHECK(services_table(none) == "no Services with an address\n");
    CHECK_FALSE(is_waiting(none));
    const std::string waiting = to_json(ServicesView{"Node n1", {}});
    CHECK_THAT(services_table(waiting), Catch::StartsWith("not ready: waiting for Node n1; "));
    CHECK(is_waiting(waiting));
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

TEST_CASE("what is counted says which ones") {
    StatusView status;
    status.ready = true;
    status.kernel.virtual_servers = 10;
    status.kernel.virtual_servers_wanted = 12;
    status.kernel.real_servers = {{ServerState::active, 4}, {ServerState::draining, 1}, {ServerState::failed_probe, 0}};
    std::string table = status_table(to_json(status));
    CHECK_THAT(table, Catch::Contains("virtual servers    10, wanted 12\n"));
    CHECK_THAT(table, Catch::Contains("real servers       5: 4 active, 1 draining\n"));
    status.ready = false;
    CHECK_THAT(status_table(to_json(status)), Catch::Contains("virtual servers    10, from before this podferry\n"));
}

TEST_CASE("podferry status is degraded by whatever keeps it from carrying all that is asked for") {
    StatusView good;
    good.ready = true;
    CHECK_FALSE(is_degraded(to_json(good)));
    const auto degraded = [&](auto change) {
        StatusView status = good;
        change(status);
        return is_degraded(to_json(status));
    };
    CHECK(degraded([](StatusView& status) { status.ready = false; }));
    CHECK(degraded([](StatusView& status) { status.healthy = false; }));
    CHECK(degraded([](StatusView& status) { status.changes_refused = true; }));
    CHECK(degraded([](StatusView& status) { status.problems = {{{}, "", "something", true}}; }));
    CHECK_FALSE(degraded([](StatusView& status) { status.changes_pending = 3; }));
}
