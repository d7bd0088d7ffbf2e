// Lists and refusals in protobuf: what they say is what they would say in JSON.
#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "protobuf_bytes.hpp"
#include "read_list.hpp"

using namespace api;
using namespace protobuf;

namespace {

std::string metadata(const std::string& name, const std::string& more = {}) {
    return text(1, text(1, name) + text(2, "") + text(3, "n") + text(5, "u-1") + text(6, "9") + integer(7, 3) + more);
}

std::string json_list(const std::string& kind, const std::string& items) {
    return R"({"kind":")" + kind + R"(List","metadata":{"resourceVersion":"77","continue":"tok"},"items":[)" + items +
           "]}";
}

/// Both formats, of one kind, and what is wrong with the object in both.
void check_same(const std::string& kind, const std::string& item, const std::string& json_item) {
    const ReadList expected = read_list(kind, json_list(kind, json_item));
    REQUIRE(expected.end.problem.empty());
    const auto piece = GENERATE(1U, 2U, 7U, 100U, 1'000'000U);
    CAPTURE(piece);
    const ReadList got = read_list(kind, list_answer(kind + "List", {item}, "77", "tok"), piece);
    CHECK(got.end.problem == expected.end.problem);
    CHECK(got.end.version == "77");
    CHECK(got.end.continue_token == "tok");
    REQUIRE(got.objects.size() == 1);
    REQUIRE(expected.objects.size() == 1);
    CHECK(got.objects[0].name == expected.objects[0].name);
    CHECK(got.objects[0].version == "9");
    CHECK(got.objects[0].label == expected.objects[0].label);
    CHECK(got.objects[0].objects == expected.objects[0].objects);
    CHECK(mistakes_of(got.objects[0]) == mistakes_of(expected.objects[0]));
}

const std::string json_metadata = R"("name":"a","namespace":"n","uid":"u-1","resourceVersion":"9")";

}  // namespace

TEST_CASE("a Service says in protobuf what it says in JSON") {
    const std::string numbered = text(1, "http") + text(2, "TCP") + integer(3, 80) +
                                 text(4, integer(1, 0) + integer(2, 8080) + text(3, "")) + integer(5, 30080) +
                                 text(6, "h2c");
    const std::string named =
        text(1, "dns") + text(2, "UDP") + integer(3, 53) + text(4, integer(1, 1) + integer(2, 0) + text(3, "dns"));
    const std::string spec = text(1, numbered) + map(2, {{"app", "web"}, {"tier", ""}}) + text(3, "10.96.0.1") +
                             text(4, "LoadBalancer") + text(5, "192.0.2.1") + text(7, "ClientIP") + text(8, "") +
                             text(9, "10.0.0.0/8") + text(9, "fd00::/8") + text(10, "") + text(11, "Local") +
                             integer(12, 30900) + integer(13, 1) + text(14, text(1, integer(1, 600))) +
                             text(17, "PreferDualStack") + text(18, "10.96.0.1") + text(18, "fd00:96::1") +
                             text(19, "IPv4") + text(19, "IPv6") + integer(20, 0) + text(22, "Local") + text(1, named);
    const std::string ingress = text(1, text(1, text(1, "198.51.100.7") + text(2, "") + text(3, "Proxy")) +
                                            text(1, text(1, "") + text(2, "lb.example")));
    const std::string item = metadata("a", text(8, integer(1, 1'700'000'000) + integer(2, 5)) +
                                               map(12, {{"podferry.io/scheduler", "mh"}, {"other", "x"}}) +
                                               text(17, std::string(3000, 'm'))) +
                             text(2, spec) + text(3, ingress);
    check_same(
        "Service", item,
        "{\"metadata\":{" + json_metadata +
            R"(,"creationTimestamp":"2023-11-14T22:13:20Z","annotations":{"podferry.io/scheduler":"mh","other":"x"}},)"
            R"("spec":{"ports":[{"name":"http","protocol":"TCP","port":80,"targetPort":8080,"nodePort":30080,"appProtocol":"h2c"},)"
            R"({"name":"dns","protocol":"UDP","port":53,"targetPort":"dns"}],"selector":{"app":"web","tier":""},)"
            R"("clusterIP":"10.96.0.1","type":"LoadBalancer","externalIPs":["192.0.2.1"],"sessionAffinity":"ClientIP",)"
            R"("loadBalancerSourceRanges":["10.0.0.0/8","fd00::/8"],"externalTrafficPolicy":"Local","healthCheckNodePort":30900,)"
            R"("publishNotReadyAddresses":true,"sessionAffinityConfig":{"clientIP":{"timeoutSeconds":600}},)"
            R"("ipFamilyPolicy":"PreferDualStack","clusterIPs":["10.96.0.1","fd00:96::1"],"ipFamilies":["IPv4","IPv6"],)"
            R"("allocateLoadBalancerNodePorts":false,"internalTrafficPolicy":"Local"},)"
            R"("status":{"loadBalancer":{"ingress":[{"ip":"198.51.100.7","ipMode":"Proxy"},{"hostname":"lb.example"}]}}})");
}

TEST_CASE("what a Service does not give is not given in protobuf either") {
    const std::string port = text(1, "") + text(2, "TCP") + integer(3, 80) + text(4, integer(2, 80)) + integer(5, 0);
    const std::string spec = text(1, port) + text(2, text(1, "app")) + text(3, "None") + text(4, "ClusterIP") +
                             text(7, "None") + text(8, "") + text(10, "") + text(11, "") + integer(12, 0) +
                             integer(13, 0) + text(18, "None");
    check_same(
        "Service", metadata("a", text(8, "")) + text(2, spec) + text(3, text(1, "")),
        "{\"metadata\":{" + json_metadata +
            R"(,"creationTimestamp":null},"spec":{"ports":[{"protocol":"TCP","port":80,"targetPort":80}],)"
            R"("selector":{"app":""},"clusterIP":"None","type":"ClusterIP","sessionAffinity":"None","clusterIPs":["None"]},)"
            R"("status":{"loadBalancer":{}}})");
}

TEST_CASE("to ask for a field that the table does not have is a mistake of the decoder") {
    const std::string bytes = text(1, metadata("a"));
    const Value service(*protobuf_message("Service"), bytes);
    CHECK(service.member("spec").kind() == Value::Kind::absent);
    CHECK(service.member("kind").kind() == Value::Kind::absent);  // what items of a list leave out
    CHECK_THROWS_AS(service.member("spce"), std::logic_error);
    CHECK_THROWS_AS(service.member("metadata").member("managedFields"), std::logic_error);
}

TEST_CASE("fields may come in any order, repeated ones apart, and of two the later one counts") {
    check_same(
        "Service",
        text(2, text(18, "10.96.0.1") + text(1, integer(3, 81) + text(1, "a")) + text(3, "10.96.0.7") +
                    map(2, {{"app", "web"}}) + text(18, "fd00:96::1") + text(3, "10.96.0.1") +
                    text(1, text(1, "b") + integer(3, 1) + integer(3, 82)) + map(2, {{"tier", "1"}, {"app", "x"}})) +
            metadata("a"),
        "{\"metadata\":{" + json_metadata +
            R"(},"spec":{"ports":[{"name":"a","port":81},{"name":"b","port":82}],"clusterIP":"10.96.0.1",)"
            R"("selector":{"app":"x","tier":"1"},"clusterIPs":["10.96.0.1","fd00:96::1"]}})");
}

TEST_CASE("what is wrong with a Service is said in the same words") {
    const std::string port =
        text(1, "") + text(2, "QUIC") + integer(3, 80) + text(4, integer(2, 70'000)) + integer(5, -1);
    check_same("Service", metadata("a") + text(2, text(1, port) + text(3, "10.96.0.x") + text(4, "Magic")),
               "{\"metadata\":{" + json_metadata +
                   R"(},"spec":{"ports":[{"protocol":"QUIC","port":80,"targetPort":70000,"nodePort":-1}],)"
                   R"("clusterIP":"10.96.0.x","type":"Magic"}})");
}

TEST_CASE("an EndpointSlice says in protobuf what it says in JSON") {
    const std::string hints = text(1, text(1, "z1")) + text(2, text(1, "n1"));
    const std::string endpoints =
        text(2, text(1, "10.1.0.1") + text(2, "") + text(4, text(1, "Pod")) + text(6, "n1") + text(7, "z") +
                    text(8, hints)) +
        text(2, text(1, "10.1.0.2") + text(1, "10.1.0.3") + text(2, integer(1, 0) + integer(2, 1) + integer(3, 1))) +
        text(2, text(1, "10.1.0.4") + text(2, integer(1, 1) + integer(2, 0) + integer(3, 0)));
    const std::string ports = text(3, text(1, "") + text(2, "TCP") + integer(3, 8080)) + text(3, text(1, "nil"));
    const std::string item =
        metadata("a", map(11, {{"kubernetes.io/service-name", "web"}}) +
                          map(12, {{"endpoints.kubernetes.io/last-change-trigger-time", "2026-01-31T12:00:00Z"}})) +
        endpoints + ports + text(4, "IPv4");
    check_same(
        "EndpointSlice", item,
        "{\"metadata\":{" + json_metadata +
            R"(,"labels":{"kubernetes.io/service-name":"web"},)"
            R"("annotations":{"endpoints.kubernetes.io/last-change-trigger-time":"2026-01-31T12:00:00Z"}},)"
            R"("addressType":"IPv4","endpoints":[{"addresses":["10.1.0.1"],"conditions":{},"nodeName":"n1","zone":"z",)"
            R"("hints":{"forZones":[{"name":"z1"}],"forNodes":[{"name":"n1"}]}},)"
            R"({"addresses":["10.1.0.2","10.1.0.3"],"conditions":{"ready":false,"serving":true,"terminating":true}},)"
            R"({"addresses":["10.1.0.4"],"conditions":{"ready":true,"serving":false,"terminating":false}}],)"
            R"("ports":[{"name":"","protocol":"TCP","port":8080},{"name":"nil"}]})");
}

TEST_CASE("a Node says in protobuf what it says in JSON") {
    const std::string meta = text(1, text(1, "a") + text(3, "") + text(6, "9") + text(9, integer(1, 1'700'000'000)) +
                                         map(11, {{"topology.kubernetes.io/zone", "z1"}}));
    check_same(
        "Node",
        meta +
            text(2, text(1, "10.244.3.0/24") + text(7, "10.244.3.0/24") + text(7, "fd00:3::/64") +
                        text(5, text(1, "ToBeDeletedByClusterAutoscaler") + text(2, "") + text(3, "NoSchedule"))) +
            text(3, text(5, text(1, "ExternalIP") + text(2, "192.0.2.9")) +
                        text(5, text(1, "InternalIP") + text(2, "10.0.0.9")) +
                        text(5, text(1, "Hostname") + text(2, "a"))),
        R"({"metadata":{"name":"a","resourceVersion":"9","deletionTimestamp":"2023-11-14T22:13:20Z",)"
        R"("labels":{"topology.kubernetes.io/zone":"z1"}},"spec":{"podCIDR":"10.244.3.0/24",)"
        R"("podCIDRs":["10.244.3.0/24","fd00:3::/64"],"taints":[{"key":"ToBeDeletedByClusterAutoscaler",)"
        R"("effect":"NoSchedule"}]},"status":{"addresses":[{"type":"ExternalIP","address":"192.0.2.9"},)"
        R"({"type":"InternalIP","address":"10.0.0.9"},{"type":"Hostname","address":"a"}]}})");
}

TEST_CASE("a ServiceCIDR says in protobuf what it says in JSON") {
    check_same("ServiceCIDR",
               text(1, text(1, "kubernetes") + text(6, "9")) +
                   text(2, text(1, "10.96.0.0/12") + text(1, "fd00:96::/108")) +
                   text(3, text(1, text(1, "Ready") + text(2, "False"))),
               R"({"metadata":{"name":"kubernetes","resourceVersion":"9"},"spec":{"cidrs":["10.96.0.0/12",)"
               R"("fd00:96::/108"]},"status":{"conditions":[{"type":"Ready","status":"False"}]}})");
}

TEST_CASE("a real API server's lists say the same in both formats") {
    struct Row {
        const char* kind;
        const char* file;
        std::size_t objects;
        std::size_t with_mistakes;
    };
    const auto row = GENERATE(
        values<Row>({{"Service", "services", 4, 0}, {"EndpointSlice", "slices", 4, 1}, {"Node", "nodes", 1, 0}}));
    CAPTURE(row.kind);
    const auto of = [&](const char* ending) {
        std::ifstream stream(std::string(LISTS) + "/" + row.file + ending, std::ios::binary);
        return read_list(row.kind, std::string(std::istreambuf_iterator<char>(stream), {}));
    };
    const ReadList json = of(".json");
    const ReadList protobuf = of(".pb");
    REQUIRE(json.end.problem.empty());
    REQUIRE(protobuf.end.problem.empty());
    CHECK(json.end.version == protobuf.end.version);
    REQUIRE(json.objects.size() == row.objects);
    REQUIRE(protobuf.objects.size() == row.objects);
    for (std::size_t i = 0; i < row.objects; ++i) {
        CHECK(json.objects[i].version == protobuf.objects[i].version);
        CHECK(json.objects[i].objects == protobuf.objects[i].objects);
        CHECK(mistakes_of(json.objects[i]) == mistakes_of(protobuf.objects[i]));
    }
    CHECK(row.with_mistakes == static_cast<std::size_t>(std::ranges::count_if(
                                   protobuf.objects, [](const auto& object) { return !object.mistakes.empty(); })));
}

TEST_CASE("a list in protobuf that is cut off anywhere is no list") {
    const std::string item = metadata("a") + text(2, text(1, integer(3, 80)) + text(3, "10.96.0.1"));
    const std::string whole = list_answer("ServiceList", {item, item}, "77");
    REQUIRE(read_list("Service", whole).objects.size() == 2);
    const std::size_t least = whole.size() - 4;  // what follows the list is empty
    for (std::size_t size = 0; size < least; ++size) {
        CAPTURE(size);
        CHECK_FALSE(read_list("Service", whole.substr(0, size)).end.problem.empty());
    }
    CHECK(read_list("Service", list_answer("ServiceList", {}, "77")).end.problem.empty());
}

TEST_CASE("what is no list in protobuf is refused") {
    struct Row {
        std::string bytes;
        const char* problem;
    };
    const std::string magic("k8s\0", 4);
    const auto row = GENERATE_COPY(values<Row>({
        {"knocked over", "neither JSON nor Kubernetes' protobuf"},
        {magic, "cut off"},
        {answer("Status", text(1, "")), "no list but kind 'Status'"},
        {answer("ServiceList", ""), "no items or no resourceVersion"},
        {answer("ServiceList", text(1, text(1, ""))), "no items or no resourceVersion"},
        {list_answer("ServiceList", {integer(2, 7)}, "1"), "is broken"},  // spec is no number
        {answer("ServiceList", text(1, text(2, "1")) + integer(2, 7)), "is broken"},
        {answer("ServiceList", text(2, "") + "\x12\x7f"), "longer than can be"},
        {magic + "\x12\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "longer than can be"},
        {magic + "\x0a\xff\xff\xff\xff\x7f", "longer than can be"},
        {magic + "\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "is broken"},
    }));
    const auto piece = GENERATE(1U, 1'000U);
    CAPTURE(row.problem, piece);
    CHECK_THAT(read_list("Service", row.bytes, piece).end.problem, Catch::Contains(row.problem));
}

TEST_CASE("a refusal in protobuf is understood") {
    const std::string status =
        text(1, "") + text(2, "Failure") + text(3, "Too large resource version") + text(4, "Timeout") +
        text(5, text(4, text(1, "ResourceVersionTooLarge") + text(2, "x")) + integer(5, 1)) + integer(6, 504);
    const WireStatus read = read_status(answer("Status", status));
    CHECK(read.code == 504);
    CHECK(read.message == "Too large resource version");
    CHECK(read.version_too_large);
    CHECK_THAT(read_status(answer("ServiceList", "")).message, Catch::Contains("no Status"));
    CHECK_THAT(read_status(answer("Status", "\x2a\x7f")).message, Catch::Contains("no Status"));
}
