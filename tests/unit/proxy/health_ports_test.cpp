// What load balancers are told on health check ports.
#include "proxy/engine/health_ports.hpp"
#include "proxy/plan/health_check_port.hpp"
#include "proxy/serve/health_reply.hpp"

#include <catch2/catch.hpp>

#include "proxy/engine/engine_problems.hpp"
#include "tests/unit/proxy/build.hpp"

using namespace proxy;

namespace {

api::Service balanced(const std::string& name, std::uint16_t port, const std::string& cluster_ip = "10.96.0.5") {
    auto service = build::service(name, cluster_ip);
    service.type = api::ServiceType::load_balancer;
    service.external_traffic_policy = api::TrafficPolicy::local;
    service.health_check_node_port = port;
    return service;
}

/// What is desired and in the kernel: each Service has a virtual server with the real servers 10.1.0.1 to 3 and
/// fd00:1::1; `carried`: the kernel has them too; nullopt: nobody wants any.
struct Carrying {
    Desired desired;
    Mirror kernel;
};
Carrying always(std::optional<bool> carried) {
    Carrying carrying;
    if (!carried)
        return carrying;
    netlink::VirtualServerState state;
    for (const std::uint16_t port : {8080, 9090})
        for (const char* address : {"10.1.0.1", "10.1.0.2", "10.1.0.3", "fd00:1::1"})
            state.real_servers[{build::address(address), port}] = 1;
    std::uint16_t port = 1;
    for (const char* name : {"web", "api", "other", "web-31000", "web-31001", "web-31002", "web-31003", "web-31004"}) {
        const netlink::VirtualServer server{build::address("10.96.1.1"), netlink::Protocol::tcp, port++};
        ServicePlan plan;
        plan.virtual_servers.push_back({server, state});
        carrying.desired.replace({"shop", name}, std::move(plan));
        if (*carried)
            carrying.kernel.virtual_servers[server] = state;
    }
    return carrying;
}

void put(HealthPorts& ports, const api::Service& service, const std::vector<api::PortEndpoints>& endpoints,
         const Carrying& carrying) {
    ports.put(service, endpoints, carrying.desired, carrying.kernel);
}

bool settle(HealthPorts& ports, const Carrying& carrying, bool all, std::size_t most = 1000) {
    return ports.settle(carrying.desired, carrying.kernel, all, most);
}

/// "shop/web 2", or "nobody".
std::string told(const HealthPorts& ports, std::uint16_t port) {
    const auto found = ports.find(port);
    return found ? api::to_string(found->service) + " " + std::to_string(found->local_endpoints) : "nobody";
}

}  // namespace

TEST_CASE("which Services have a health check port") {
    const auto web = balanced("web", 31000);
    CHECK(health_check_port(web) == 31000);
    auto other = web;
    other.type = api::ServiceType::node_port;
    CHECK(health_check_port(other) == 0);
    other = web;
    other.external_traffic_policy = api::TrafficPolicy::cluster;
    CHECK(health_check_port(other) == 0);
    other = web;
    other.health_check_node_port = 0;
    CHECK(health_check_port(other) == 0);
}

TEST_CASE("which endpoints count") {
    struct Row {
        const char* what;
        const char* endpoints;
        const char* told;
    };
    const Row rows[] = {
        {"none", "", "shop/web 0"},
        {"ready ones of this node", "1lr 2lr 3r", "shop/web 2"},
        {"elsewhere only", "1r 2r", "shop/web 0"},
        {"not ready", "1l", "shop/web 0"},
        {"terminating ones never, even if they are the only ones that serve", "1lst 2lrt", "shop/web 0"},
        {"and not beside ready ones", "1lst 2lr", "shop/web 1"},
    };
    for (const Row& row : rows) {
        INFO(row.what);
        HealthPorts ports;
        put(ports, balanced("web", 31000), {{0, build::endpoints(row.endpoints)}}, always(std::nullopt));
        CHECK(told(ports, 31000) == row.told);
    }
}

TEST_CASE("a pod counts once, whatever the number of its ports and families") {
    auto service = balanced("web", 31000);
    service.cluster_ips.push_back(build::address("fd00:96::5"));
    auto http = build::endpoints("1lr 2lr");
    auto metrics = build::endpoints("1lr 2lr");
    for (auto& endpoint : metrics)
        endpoint.port = 9090;
    auto v6 = http[0];
    v6.address = build::address("fd00:1::1");
    http.push_back(v6);
    HealthPorts ports;
    put(ports, service, {{0, http}, {1, metrics}}, always(true));
    CHECK(told(ports, 31000) == "shop/web 2");
    // A family that the Service does not have is of no use to it.
    service.cluster_ips = {build::address("fd00:96::5")};
    put(ports, service, {{0, http}, {1, metrics}}, always(true));
    CHECK(told(ports, 31000) == "shop/web 1");
}

TEST_CASE("nothing counts before the kernel holds it") {
    HealthPorts ports;
    put(ports, balanced("web", 31000), {{0, build::endpoints("1lr")}}, always(false));
    CHECK(told(ports, 31000) == "shop/web 0");
    settle(ports, always(true), false);
    CHECK(told(ports, 31000) == "shop/web 1");
    settle(ports, always(false), false);  // nothing was put: nobody is asked
    CHECK(told(ports, 31000) == "shop/web 1");
    settle(ports, always(false), true);
    CHECK(told(ports, 31000) == "shop/web 0");
    // What is gone counts no more at once.
    settle(ports, always(true), true);
    put(ports, balanced("web", 31000), {{0, build::endpoints("1lst")}}, always(true));
    CHECK(told(ports, 31000) == "shop/web 0");
}

TEST_CASE("many are counted in slices") {
    HealthPorts ports;
    for (std::uint16_t port = 31000; port < 31005; ++port)
        put(ports, balanced("web-" + std::to_string(port), port), {{0, build::endpoints("1lr")}}, always(false));
    const auto counted = [&] {
        int count = 0;
        for (std::uint16_t port = 31000; port < 31005; ++port)
            count += static_cast<int>(ports.find(port)->local_endpoints);
        return count;
    };
    CHECK(settle(ports, always(true), false, 2));
    CHECK(counted() == 2);
    CHECK(settle(ports, always(true), false, 2));
    CHECK_FALSE(settle(ports, always(true), false, 2));
    CHECK(counted() == 5);
    CHECK(settle(ports, always(false), true, 4));
    CHECK_FALSE(settle(ports, always(false), false, 4));
    CHECK(counted() == 0);
}

TEST_CASE("an endpoint whose probe has not answered counts only while the kernel gives it connections") {
    auto endpoints = build::endpoints("1l");
    endpoints[0].unknown = true;
    HealthPorts ports;
    for (const auto& [carried, expected] : {std::pair(std::optional<bool>(true), "shop/web 1"),
                                            {std::optional<bool>(false), "shop/web 0"},
                                            {std::optional<bool>(), "shop/web 0"}}) {
        put(ports, balanced("web", 31000), {{0, endpoints}}, always(carried));
        CHECK(told(ports, 31000) == expected);
    }
}

TEST_CASE("ports come, go and change, and only those are touched") {
    HealthPorts ports;
    const auto put_it = [&](const api::Service& service) { put(ports, service, {}, always(true)); };
    put_it(balanced("web", 31000));
    put_it(build::service("other", "10.96.0.9"));
    CHECK(ports.exchange_touched() == std::set<std::uint16_t>{31000});
    put_it(balanced("web", 31000));
    CHECK(ports.exchange_touched().empty());
    put_it(balanced("web", 31001));
    CHECK(ports.exchange_touched() == std::set<std::uint16_t>{31000, 31001});
    CHECK(told(ports, 31000) == "nobody");
    CHECK(told(ports, 31001) == "shop/web 0");
    auto cluster = balanced("web", 31001);
    cluster.external_traffic_policy = api::TrafficPolicy::cluster;
    put_it(cluster);
    CHECK(told(ports, 31001) == "nobody");
    put_it(balanced("web", 31001));
    ports.remove({"shop", "web"});
    ports.remove({"shop", "web"});
    CHECK(told(ports, 31001) == "nobody");
    settle(ports, always(true), true);
}

TEST_CASE("of two Services with one port the first has it, and the other takes over") {
    HealthPorts ports;
    put(ports, balanced("web", 31000), {{0, build::endpoints("1lr")}}, always(true));
    put(ports, balanced("api", 31000, "10.96.0.6"), {{0, build::endpoints("2lr 3lr")}}, always(true));
    CHECK(told(ports, 31000) == "shop/web 1");
    REQUIRE(ports.conflicts().size() == 1);
    CHECK(api::to_string(ports.conflicts()[0].service) == "shop/api");
    CHECK(api::to_string(ports.conflicts()[0].owner) == "shop/web");
    ports.remove({"shop", "web"});
    CHECK(told(ports, 31000) == "shop/api 2");
    CHECK(ports.conflicts().empty());
}

TEST_CASE("the answer is kube-proxy's, byte for byte") {
    struct Row {
        std::size_t endpoints;
        bool healthy;
        int status;
    };
    for (const Row& row : {Row{2, true, 200}, {0, true, 503}, {2, false, 503}, {0, false, 503}}) {
        const Reply reply = health_reply({{"shop", "web"}, row.endpoints}, row.healthy);
        CHECK(reply.status == row.status);
        CHECK(reply.content_type == "application/json");
        CHECK(reply.headers == std::vector<std::pair<std::string, std::string>>{
                                   {"X-Load-Balancing-Endpoint-Weight", std::to_string(row.endpoints)}});
        CHECK(reply.body ==
              "{\n\t\"service\": {\n\t\t\"namespace\": \"shop\",\n\t\t\"name\": \"web\"\n\t},\n"
              "\t\"localEndpoints\": " +
                  std::to_string(row.endpoints) + ",\n\t\"serviceProxyHealthy\": " + (row.healthy ? "true" : "false") +
                  "\n}");
    }
}

TEST_CASE("the engine: verdicts count when the kernel has followed, after a restart what the kernel has") {
    Mirror kernel;
    const auto& has = [&](const char* real) -> int& {
        const netlink::VirtualServer server{build::address("10.96.0.5"), netlink::Protocol::tcp, 80};
        return kernel.virtual_servers[server].real_servers[{build::address(real), 8080}];
    };
    Config config = default_config();
    config.service_cluster_ip_range = {*base::parse_prefix("10.96.0.0/24")};
    config.node_name = "n1";
    NodeFacts facts;
    facts.node_port_addresses = {build::address("192.168.50.10")};
    Engine engine(config, facts, {});
    has("10.1.0.11") = 1;
    engine.apply(build::transaction(
        {balanced("web", 31000), build::pod("web", "web-1", "10.1.0.11"), build::pod("web", "web-2", "10.1.0.12")},
        true));
    engine.plan_dirty(kernel);
    engine.settle_health_ports(kernel, false);
    CHECK(told(engine.health_ports(), 31000) == "shop/web 1");  // adopted, not judged yet
    engine.note_verdict({"shop/web-2", "main"}, health::Verdict::ready);
    engine.plan_dirty(kernel);
    CHECK(told(engine.health_ports(), 31000) == "shop/web 1");
    has("10.1.0.12") = 1;
    engine.settle_health_ports(kernel, false);
    CHECK(told(engine.health_ports(), 31000) == "shop/web 2");
    engine.note_verdict({"shop/web-1", "main"}, health::Verdict::failed);
    engine.plan_dirty(kernel);
    CHECK(told(engine.health_ports(), 31000) == "shop/web 1");  // at once
    engine.apply(build::removal(api::Kind::service, "web"));
    engine.plan_dirty(kernel);
    CHECK(told(engine.health_ports(), 31000) == "nobody");
}

TEST_CASE("the engine names both Services that a server gives one port") {
    Config config = default_config();
    Engine engine(config, {}, {}, true);
    engine.apply(build::transaction({balanced("web", 31000), balanced("yew", 31000, "10.96.0.6")}));
    engine.plan_dirty({});
    REQUIRE(problems_of(engine).size() == 1);
    CHECK(api::to_string(problems_of(engine)[0]) ==
          "test.yaml:1: Service shop/yew: spec.healthCheckNodePort: 31000 is that of Service shop/web; it is not "
          "answered for this one until that one goes");
}

TEST_CASE("of two Services in manifests that are given one port, the second is refused, until the first goes") {
    Config config = default_config();
    config.service_cluster_ip_range = {*base::parse_prefix("10.96.0.0/24")};
    Engine engine(config, {}, {});
    engine.apply(build::transaction({balanced("web", 31000), balanced("yew", 31000, "10.96.0.6")}));
    engine.plan_dirty({});
    CHECK(told(engine.health_ports(), 31000) == "shop/web 0");
    REQUIRE(problems_of(engine).size() == 1);
    CHECK(api::to_string(problems_of(engine)[0]) ==
          "test.yaml:1: Service shop/yew: spec.healthCheckNodePort: 31000 is already in use by Service shop/web; "
          "choose another");
    engine.apply(build::removal(api::Kind::service, "web"));
    engine.plan_dirty({});
    CHECK(told(engine.health_ports(), 31000) == "shop/yew 0");
    CHECK(problems_of(engine).empty());
}
