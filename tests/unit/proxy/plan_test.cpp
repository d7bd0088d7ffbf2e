// One Service as kernel objects. Node n1 has 192.168.50.10, where node ports are served.
#include "proxy/plan/plan.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/proxy/build.hpp"

using namespace proxy;
using api::TrafficPolicy;

namespace {

/// Each front end and its endpoints' numbers: "10.96.0.5:80/tcp 1 2"; then the elements of the sets that policies use.
std::string text(const ServicePlan& plan) {
    std::string all;
    for (const auto& [server, state, kind] : plan.virtual_servers) {
        all += (all.empty() ? "" : "; ") + netlink::to_string(server);
        for (const auto& [real, weight] : state.real_servers)
            all += " " + real.address.to_string().substr(7) + (weight == 1 ? "" : "=" + std::to_string(weight));
    }
    for (const netlink::Element& element : plan.elements)
        if (element.set != netlink::Set::served && element.set != netlink::Set::virtual_address &&
            element.set != netlink::Set::cluster && element.set != netlink::Set::hairpin)
            all += "; " + netlink::to_string(element);
    return all;
}

NodeFacts facts() {
    NodeFacts facts;
    facts.node_port_addresses = {build::address("192.168.50.10")};
    facts.own_addresses = {build::address("192.168.50.10")};
    facts.place = {"n1", "a"};
    return facts;
}

const Mirror empty_kernel;
const Verdicts no_verdicts;
const std::set<std::string> none_missing;

PlanInputs inputs(Marks& marks) {
    return {empty_kernel, no_verdicts, none_missing, marks};
}

Marks no_marks_yet() {
    return Marks(netlink::Fwmark{});
}

std::string planned(const api::Service& service, const std::string& endpoints) {
    Marks marks = no_marks_yet();
    return text(build::plan(service, {{0, build::endpoints(endpoints)}}, facts(), inputs(marks)));
}

struct Row {
    const char* what;
    const char* endpoints;
    const char* plan;
};

}  // namespace

TEST_CASE("internalTrafficPolicy: Local") {
    auto service = build::service("web", "10.96.0.5");
    service.internal_traffic_policy = TrafficPolicy::local;
    const Row rows[] = {
        {"this node's endpoints", "1lr 2r", "10.96.0.5:80/tcp 1"},
        {"none here, some elsewhere: dropped", "2r", "10.96.0.5:80/tcp; dropped 10.96.0.5 tcp 80"},
        {"only terminating elsewhere: dropped", "2st", "10.96.0.5:80/tcp; dropped 10.96.0.5 tcp 80"},
        {"none anywhere: refused", "2", "10.96.0.5:80/tcp"},
        {"terminating here", "1lst 2r", "10.96.0.5:80/tcp 1"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        CHECK(planned(service, row.endpoints) == row.plan);
    }
}

TEST_CASE("externalTrafficPolicy: Local") {
    auto service = build::service("web", "10.96.0.5");
    service.type = api::ServiceType::node_port;
    service.ports[0].node_port = 30080;
    service.external_traffic_policy = TrafficPolicy::local;
    const Row rows[] = {
        {"all endpoints are here", "1lr 3lr",
         "10.96.0.5:80/tcp 1 3; 192.168.50.10:30080/tcp 1 3; node_port_local tcp 30080"},
        {"this node's for clients outside, the cluster's for all others", "1lr 2r",
         "10.96.0.5:80/tcp 1 2; 192.168.50.10:30080/tcp 1; mark 0x50460001/ipv4 1 2; node_port_local tcp 30080; "
         "internal_node_port_mark tcp 30080 0x50460001; marks 0x50460001"},
        {"this node's terminating one for clients outside", "1lst 2r",
         "10.96.0.5:80/tcp 2; 192.168.50.10:30080/tcp 1; mark 0x50460001/ipv4 2; node_port_local tcp 30080; "
         "internal_node_port_mark tcp 30080 0x50460001; marks 0x50460001"},
        {"none here, some elsewhere: dropped for those outside, and the cluster's for all others", "2r",
         "10.96.0.5:80/tcp 2; 192.168.50.10:30080/tcp 2; node_port_local tcp 30080; node_port_dropped tcp 30080"},
        {"none anywhere: refused", "2", "10.96.0.5:80/tcp; 192.168.50.10:30080/tcp; node_port_local tcp 30080"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        CHECK(planned(service, row.endpoints) == row.plan);
    }
}

TEST_CASE("external addresses") {
    auto service = build::service("web", "10.96.0.5");
    service.external_ips = {build::address("203.0.113.7"), build::address("192.168.50.10")};
    CHECK(planned(service, "1lr 2r") ==
          "10.96.0.5:80/tcp 1 2; 203.0.113.7:80/tcp 1 2; 192.168.50.10:80/tcp 1 2; masquerade 203.0.113.7 tcp 80; "
          "external 203.0.113.7 tcp 80; external_address 203.0.113.7; masquerade 192.168.50.10 tcp 80");
    service.external_ips = {build::address("203.0.113.7")};
    CHECK(planned(service, "1") ==
          "10.96.0.5:80/tcp; 203.0.113.7:80/tcp; masquerade 203.0.113.7 tcp 80; "
          "external 203.0.113.7 tcp 80; external_address 203.0.113.7; refused 203.0.113.7 tcp 80");
    service.external_ips = {};
    service.type = api::ServiceType::load_balancer;
    service.external_traffic_policy = TrafficPolicy::local;
    service.ingress = {{build::address("203.0.113.8"), api::IpMode::vip},
                       {build::address("203.0.113.9"), api::IpMode::proxy},
                       {build::address("fd00::8"), api::IpMode::vip}};
    CHECK(planned(service, "2r") ==
          "10.96.0.5:80/tcp 2; 203.0.113.8:80/tcp 2; external_local 203.0.113.8 tcp 80; dropped_outside 203.0.113.8 "
          "tcp 80; "
          "external 203.0.113.8 tcp 80; external_address 203.0.113.8");
}

TEST_CASE("a ClusterIP is open unless it is dropped; an external address that is the same is refused") {
    const auto is_open = [](const api::Service& service, const std::string& endpoints) {
        Marks marks = no_marks_yet();
        const ServicePlan all = build::plan(service, {{0, build::endpoints(endpoints)}}, facts(), inputs(marks));
        const netlink::Element open{netlink::Set::cluster, service.cluster_ips.at(0), netlink::Protocol::tcp, 80};
        return std::find(all.elements.begin(), all.elements.end(), open) != all.elements.end();
    };
    auto service = build::service("web", "10.96.0.5");
    CHECK(is_open(service, "2r"));
    CHECK(is_open(service, ""));
    service.internal_traffic_policy = TrafficPolicy::local;
    CHECK(is_open(service, "1lr"));
    CHECK_FALSE(is_open(service, "2r"));
    service.internal_traffic_policy = TrafficPolicy::cluster;
    service.external_ips = {build::address("10.96.0.5")};
    CHECK(is_open(service, "2r"));
    service.external_ips = {};
    service.type = api::ServiceType::load_balancer;
    service.ingress = {{build::address("10.96.0.5"), api::IpMode::vip}};
    CHECK(is_open(service, "2r"));
}

TEST_CASE("a ClusterIP that NodeLocal DNSCache holds gets no route, and its other ports are not refused") {
    const auto service = build::service("dns", "10.96.0.10");  // its port is 80
    NodeFacts node = facts();
    node.dns_cache = {build::address("10.96.0.10")};
    Marks marks = no_marks_yet();
    const ServicePlan plan = build::plan(service, {{0, build::endpoints("1lr")}}, node, inputs(marks));
    CHECK(plan.virtual_servers.size() == 1);
    CHECK(plan.routes.empty());
    for (const netlink::Element& element : plan.elements)
        CHECK(element.set != netlink::Set::virtual_address);
}

TEST_CASE("hints choose among a front end's endpoints") {
    CHECK(planned(build::service("web", "10.96.0.5"), "1lr@a 2r@a 3r@b") == "10.96.0.5:80/tcp 1 2");
}

TEST_CASE("loadBalancerSourceRanges") {
    auto service = build::service("web", "10.96.0.5");
    service.type = api::ServiceType::load_balancer;
    service.ingress = {{build::address("203.0.113.8"), api::IpMode::vip}};
    const std::string open =
        "10.96.0.5:80/tcp 1; 203.0.113.8:80/tcp 1; masquerade 203.0.113.8 tcp 80; external 203.0.113.8 tcp 80; "
        "external_address 203.0.113.8";
    CHECK(planned(service, "1r") == open);
    service.source_ranges = {{build::address("10.0.0.0"), 8}};
    CHECK(planned(service, "1r") == open + "; firewalled 203.0.113.8 tcp 80; allowed 203.0.113.8 tcp 80 10.0.0.0/8");
}

TEST_CASE("a client keeps its endpoint whatever the front end, where ports are the same") {
    auto service = build::service("web", "10.96.0.5");
    service.client_ip_affinity = std::chrono::seconds(600);
    service.external_ips = {build::address("203.0.113.7")};
    CHECK(planned(service, "1r 2r") ==
          "10.96.0.5:80/tcp 1 2; 203.0.113.7:80/tcp 1 2; masquerade 203.0.113.7 tcp 80; "
          "external 203.0.113.7 tcp 80; external_address 203.0.113.7");
    service.ports[0].port = 8080;
    CHECK(planned(service, "1r 2r") ==
          "10.96.0.5:8080/tcp 1 2; 203.0.113.7:8080/tcp 1 2; mark 0x50460001/ipv4 1 2; "
          "masquerade 203.0.113.7 tcp 8080; "
          "external 203.0.113.7 tcp 8080; external_address 203.0.113.7; internal_mark 10.96.0.5 tcp 8080 0x50460001; "
          "marks 0x50460001; outside_mark 10.96.0.5 tcp 8080 0x50460001; "
          "internal_mark 203.0.113.7 tcp 8080 0x50460001; outside_mark 203.0.113.7 tcp 8080 0x50460001");
}

TEST_CASE("a failed probe leaves a real server without weight, and none of UDP") {
    auto endpoints = build::endpoints("1lr 2l");
    Marks marks = no_marks_yet();
    endpoints[1].failed = true;
    auto service = build::service("web", "10.96.0.5");
    CHECK(text(build::plan(service, {{0, endpoints}}, facts(), inputs(marks))) == "10.96.0.5:80/tcp 1 2=0");
    service.ports[0].protocol = api::Protocol::udp;
    CHECK(text(build::plan(service, {{0, endpoints}}, facts(), inputs(marks))) == "10.96.0.5:80/udp 1");
}

TEST_CASE("Local policies that find nothing here") {
    struct Gaps {
        const char* what;
        api::ServiceType type;
        TrafficPolicy internal;
        TrafficPolicy external;
        const char* endpoints;
        std::set<LocalGap> gaps;
    };
    const auto node_port = api::ServiceType::node_port;
    const auto cluster_ip = api::ServiceType::cluster_ip;
    const auto local = TrafficPolicy::local;
    const auto cluster = TrafficPolicy::cluster;
    const LocalGap internal{false, false};
    const LocalGap external{true, false};
    const Gaps rows[] = {
        {"both, one is here", node_port, local, local, "1lr 2r", {}},
        {"both, a terminating one is here", node_port, local, local, "1lst 2r", {}},
        {"both, only one elsewhere", node_port, local, local, "2r", {internal, external}},
        {"both, only a terminating one elsewhere", node_port, local, local, "2st", {internal, external}},
        {"both, the one here is not ready", node_port, local, local, "1l 2r", {internal, external}},
        {"both, none anywhere: that is no matter of the policy", node_port, local, local, "2", {}},
        {"only internal", node_port, local, cluster, "2r", {internal}},
        {"only external", node_port, cluster, local, "2r", {external}},
        {"none", node_port, cluster, cluster, "2r", {}},
        {"nobody comes from outside", cluster_ip, cluster, local, "2r", {}},
    };
    for (const Gaps& row : rows) {
        CAPTURE(row.what);
        auto service = build::service("web", "10.96.0.5");
        service.type = row.type;
        service.internal_traffic_policy = row.internal;
        service.external_traffic_policy = row.external;
        service.ports.push_back({"more", api::Protocol::tcp, 81, std::uint16_t{8080}, 0});
        Marks marks = no_marks_yet();
        const auto found = build::plan(service, {{0, build::endpoints(row.endpoints)}, {1, build::endpoints("1lr")}},
                                       facts(), inputs(marks));
        CHECK(found.gaps == row.gaps);
    }
}

TEST_CASE("a front end that a Service has in two ways is one, of the kind that goes before") {
    auto service = build::service("web", "10.96.0.5");
    service.internal_traffic_policy = TrafficPolicy::local;
    service.external_ips = {build::address("203.0.113.7")};
    service.ingress = {{build::address("203.0.113.7"), api::IpMode::vip}};
    Marks marks = no_marks_yet();
    const ServicePlan planned = build::plan(service, {{0, build::endpoints("1lr 2r")}}, facts(), inputs(marks));
    std::string all;
    for (const auto& [server, state, kind] : planned.virtual_servers)
        all += netlink::to_string(server) + " as " + std::string(to_string(kind)) + " " +
               std::to_string(state.real_servers.size()) + "; ";
    CHECK(all == "10.96.0.5:80/tcp as a ClusterIP 1; 203.0.113.7:80/tcp as a load balancer's address 2; ");
}

TEST_CASE("what is wrong with every front end of a Service is said once") {
    auto service = build::service("web", "10.96.0.5");
    service.external_traffic_policy = TrafficPolicy::local;
    service.external_ips = {build::address("203.0.113.7"), build::address("203.0.113.8")};
    Marks marks({0x100, 0xffffffff});
    const ServicePlan planned = build::plan(service, {{0, build::endpoints("1lr 2r")}}, facts(), inputs(marks));
    REQUIRE(planned.problems.size() == 1);
    CHECK(planned.problems[0].find("all marks are in use") != std::string::npos);
}
