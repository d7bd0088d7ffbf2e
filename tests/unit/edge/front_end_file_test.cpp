// The edge's file: what it becomes, and what is said of mistakes.
#include "proxy/edge/front_end_file.hpp"

#include "proxy/edge/edge_view.hpp"
#include "proxy/edge/file_source.hpp"
#include "tests/unit/edge/world.hpp"

using namespace edge;

namespace {

EdgeFile read(const std::string& text) {
    return read_edge_file(text, "edge.yaml");
}

/// A file with one front end, and that.
EdgeFile with(const std::string& more) {
    return read("front_ends:\n- name: web\n  port: 443\n" + more);
}

const std::string usual = "  address: 192.0.2.10\n  real_servers: [{address: 10.0.0.11}]\n";

std::string problems_of(const EdgeFile& file) {
    std::string text;
    for (const api::Problem& problem : file.problems)
        text += (text.empty() ? "" : "\n") + api::to_string(problem);
    return text;
}

std::string checks_of(const Balanced& balanced) {
    std::string text;
    for (const Backend& backend : balanced.backends)
        text += (text.empty() ? "" : "\n") + (backend.check ? to_string(*backend.check) : "none");
    return text;
}

}  // namespace

TEST_CASE("a front end of the file") {
    const EdgeFile file = read(R"(
log_level: debug
health_check: {interval: 5s}
front_ends:
- name: web
  addresses: [192.0.2.10, "2001:db8::10"]
  port: 443
  scheduler: mh
  scheduler_flags: port
  persistence: 5m
  source_ranges: [198.51.100.0/24]
  health_check: {type: https, path: /ready, host: www.example.com, timeout: 2s, failure_threshold: 3}
  real_servers:
  - {address: 10.0.0.11, port: 8443, weight: 3}
  - {address: 10.0.0.12, weight: 0, health_check: {type: tcp, port: 22}}
  - {address: 10.0.0.13, health_check: {type: none}}
- {name: dns, address: 192.0.2.10, port: 53, protocol: UDP, real_servers: [{address: 10.0.0.11}]}
)");
    CHECK(problems_of(file).empty());
    REQUIRE(file.front_ends.size() == 2);
    const Balanced& web = file.front_ends[0];
    CHECK(web.origin.line == 5);
    CHECK(web.service.name == api::ObjectName{"", "web"});
    CHECK(web.service.ingress.size() == 2);
    CHECK(web.service.ports.at(0).port == 443);
    CHECK(web.service.client_ip_affinity == 300s);
    CHECK(web.service.source_ranges.size() == 1);
    CHECK(web.service.annotations.at("podferry.io/scheduler") == "mh");
    CHECK(web.service.annotations.at("podferry.io/scheduler-flags") == "port");
    CHECK(web.safety == SafetyRules{0, 100});
    REQUIRE(web.backends.size() == 3);
    CHECK(web.backends[0].name == "10.0.0.11:8443");
    CHECK(web.backends[0].weight == 3);
    CHECK(web.backends[1].ports == std::vector<std::uint16_t>{443});
    CHECK(web.backends[1].weight == 0);
    CHECK(checks_of(web) ==
          "https://10.0.0.11:8443/ready Host: www.example.com every 5s, timeout 2s, in after 1, out after 3\n"
          "tcp://10.0.0.12:22 every 5s, timeout 2s, in after 1, out after 3\n"
          "none");
    CHECK(checks_of(file.front_ends[1]) == "none");  // nobody answers a datagram that says nothing
    CHECK(file.front_ends[1].service.annotations.at("podferry.io/scheduler") == "wrr");
}

TEST_CASE("without a health check a connection of TCP is tried") {
    const EdgeFile file = with(usual);
    REQUIRE(file.front_ends.size() == 1);
    CHECK(checks_of(file.front_ends[0]) == "tcp://10.0.0.11:443 every 2s, timeout 1s, in after 1, out after 2");
}

TEST_CASE("mistakes name the file, the line, the front end and the field") {
    struct Row {
        const char* text;
        const char* said;  // a part of it
    };
    const auto row = GENERATE(values<Row>({
        {"  real_servers: []", "edge.yaml:2: front end web: front_ends[0].address: missing"},
        {"  address: 192.0.2.10", "edge.yaml:2: front end web: front_ends[0].real_servers: missing; an empty list"},
        {"  address: 192.0.2\n  real_servers: []",
         "edge.yaml:4: front end web: front_ends[0].address: '192.0.2' is not an IP address"},
        {"  address: 127.0.0.1\n  real_servers: []", "front_ends[0].address: 127.0.0.1 is a loopback address"},
        {"  address: 192.0.2.1\n  addresses: [192.0.2.1]\n  real_servers: []", "give either address or addresses"},
        {"  addresses: []\n  real_servers: []", "must be a list of 1 to 64 addresses"},
        {"  addresses: [192.0.2.1, 192.0.2.1]\n  real_servers: []",
         "front_ends[0].addresses[1]: 192.0.2.1 port 443 is already front end web's"},
        {"  address: 192.0.2.1\n  adress: 1\n  real_servers: []", "adress: unknown field; did you mean 'address'?"},
        {"  address: 192.0.2.1\n  protocol: tcp\n  real_servers: []", "'tcp' is not one of TCP, UDP, SCTP"},
        {"  address: 192.0.2.1\n  scheduler: best\n  real_servers: []", "'best' is no scheduler of IPVS; there are rr"},
        {"  address: 192.0.2.1\n  scheduler_flags: port\n  real_servers: []", "are for the schedulers mh and sh"},
        {"  address: 192.0.2.1\n  persistence: 90\n  real_servers: []", "persistence: must be a string, not"},
        {"  address: 192.0.2.1\n  persistence: 2d\n  real_servers: []",
         "'2d' is not a duration of whole seconds from 0s to 86400s"},
        {"  address: 192.0.2.1\n  source_ranges: [10.0.0.0/33]\n  real_servers: []", "'10.0.0.0/33' is not a CIDR"},
        {"  address: 192.0.2.1\n  take_address: 1\n  real_servers: []", "take_address: must be true or false"},
        {"  address: 192.0.2.1\n  panic_percent: 101\n  real_servers: []", "101 is out of range (0..100)"},
        {"  address: 192.0.2.1\n  real_servers: [{address: 10.0.0.1}, {address: 10.0.0.1}]",
         "real_servers[1]: 10.0.0.1:443 is twice among the real servers"},
        {"  address: 192.0.2.1\n  real_servers: [{address: 10.0.0.1, weight: 70000}]",
         "weight: 70000 is out of range (0..65535)"},
        {"  address: 192.0.2.1\n  real_servers: [{port: 80}]", "real_servers[0].address: missing"},
        {"  address: 192.0.2.1\n  real_servers: 10.0.0.1", "real_servers: must be a list"},
        {"  address: 192.0.2.1\n  health_check: {type: ping}\n  real_servers: []",
         "'ping' is not one of tcp, http, https, none"},
        {"  address: 192.0.2.1\n  health_check: {interval: 0s}\n  real_servers: []", "from 1s to 3600s"},
        {"  address: 192.0.2.1\n  health_check: {interval: 500ms}\n  real_servers: []", "of whole seconds"},
        {"  address: 192.0.2.1\n  health_check: {type: http, path: ready}\n  real_servers: []", "must begin with /"},
        {"  address: 192.0.2.1\n  health_check: {host: \"a\\r\\nb\"}\n  real_servers: []", "must be a single line"},
        {"  address: 192.0.2.1\n  port: 80\n  real_servers: []",
         "edge.yaml:5: front end web: front_ends[0].port: duplicate key"},
    }));
    CAPTURE(row.text);
    const EdgeFile file = with(row.text);
    CHECK(file.front_ends.empty());
    CHECK(file.mistaken.contains({"", "web"}));
    CHECK_THAT(problems_of(file), Catch::Contains(row.said));
}

TEST_CASE("files that say nothing") {
    struct Row {
        const char* text;
        const char* said;
    };
    const auto row = GENERATE(values<Row>({{"", "edge.yaml:1: is empty"},
                                           {"[]", "must be a mapping"},
                                           {"a: [", "not valid"},
                                           {"front_ends: []\n---\nfront_ends: []", "edge.yaml:2: more than one YAML"},
                                           {"log_level: info", "front_ends: missing"}}));
    CAPTURE(row.text);
    const EdgeFile file = read(row.text);
    CHECK_FALSE(file.readable);
    CHECK_THAT(problems_of(file), Catch::Contains(row.said));
}

TEST_CASE("a front end with a mistake holds up no other one, and a wrong section for all holds up all") {
    const std::string two =
        "front_ends:\n- {name: a, address: 192.0.2.1, port: 80, real_servers: []}\n"
        "- {name: b, address: 192.0.2.1, port: 0, real_servers: []}\n";
    CHECK(read(two).front_ends.size() == 1);
    CHECK(read(two).mistaken == std::set<api::ObjectName>{{"", "b"}});
    CHECK(read("health_check: {type: ping}\n" + two).front_ends.empty());
    CHECK(read("health_check: {type: ping}\n" + two).mistaken.size() == 2);
}

TEST_CASE("two front ends of one name, and two of one address and port: the first one is served") {
    const EdgeFile names = read(
        "front_ends:\n- {name: a, address: 192.0.2.1, port: 80, real_servers: []}\n"
        "- {name: a, address: 192.0.2.1, port: 81, real_servers: []}\n");
    CHECK(names.front_ends.size() == 1);
    CHECK_THAT(problems_of(names), Catch::Contains("edge.yaml:3: front end a: front_ends[1].name: 'a' is the name of"));
    const EdgeFile addresses = read(
        "front_ends:\n- {name: a, address: 192.0.2.1, port: 80, real_servers: []}\n"
        "- {name: b, address: 192.0.2.1, port: 80, real_servers: []}\n"
        "- {name: c, address: 192.0.2.1, port: 80, protocol: UDP, real_servers: []}\n");
    CHECK(addresses.front_ends.size() == 2);
    CHECK_THAT(problems_of(addresses), Catch::Contains("192.0.2.1 port 80 is already front end a's"));
}

TEST_CASE("what a changed file does to the front ends that there are") {
    struct Row {
        const char* why;
        const char* text;
        std::set<std::string> left;
    };
    const auto row = GENERATE(values<Row>({
        {"all of them",
         "front_ends: [{name: a, address: 192.0.2.1, port: 80, real_servers: []}, {name: b, address: "
         "192.0.2.1, port: 81, real_servers: []}]",
         {"a", "b"}},
        {"one is gone", "front_ends: [{name: a, address: 192.0.2.1, port: 80, real_servers: []}]", {"a"}},
        {"all are gone", "front_ends: []", {}},
        {"one has a mistake", "front_ends: [{name: a}]", {"a"}},
        {"one has no name",
         "front_ends: [{name: a, address: 192.0.2.1, port: 80, real_servers: []}, {port: 1}]",
         {"a", "b"}},
        {"it is no YAML", "front_ends: [", {"a", "b"}},
        {"it is empty", "", {"a", "b"}},
    }));
    CAPTURE(row.why);
    Balancer balancer;
    apply_file(read("front_ends: [{name: a, address: 192.0.2.1, port: 80, real_servers: []}, {name: b, address: "
                    "192.0.2.1, port: 81, real_servers: []}]"),
               balancer);
    apply_file(read(row.text), balancer);
    std::set<std::string> left;
    for (const api::ObjectName& name : balancer.names())
        left.insert(name.name);
    CHECK(left == row.left);
}

TEST_CASE("front ends as people see them") {
    Balancer balancer;
    apply_file(read("front_ends: [{name: web, address: 192.0.2.1, port: 80, real_servers: [{address: 10.0.0.1, "
                    "health_check: {type: none}}, {address: 10.0.0.2, weight: 0}]}, {name: none, address: 192.0.2.1, "
                    "port: 81, real_servers: []}]"),
               balancer);
    balancer.review(at(0s));
    const std::string json = front_ends_json(balancer.views(), "");
    CHECK(front_ends_table(json) ==
          "FRONT END  ADDRESSES  PORTS   BACKEND      WEIGHT  STATE    WHY\n"
          "none       192.0.2.1  81/tcp  none\n"
          "web        192.0.2.1  80/tcp  10.0.0.1:80  1       in\n"
          "                              10.0.0.2:80  0       drained  its weight is 0\n");
    CHECK(lacks_backends(json));
    balancer.remove({"", "none"});
    CHECK_FALSE(lacks_backends(front_ends_json(balancer.views(), "")));
    CHECK(lacks_backends(front_ends_json(balancer.views(), "the start")));
}
