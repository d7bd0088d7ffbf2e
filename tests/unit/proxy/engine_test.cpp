// From objects and verdicts to desired kernel objects, without I/O.
#include "proxy/engine/engine_problems.hpp"

#include <catch2/catch.hpp>

#include "engine_world.hpp"

using namespace proxy;
using build::World;

namespace {

const char* const vip = "10.96.0.5";

}  // namespace

TEST_CASE("a pod is used when its probe has answered, and gets weight 0 when it fails") {
    World world;
    world.apply(build::transaction({build::service("web", vip), build::pod("web", "web-1", "10.1.0.11"),
                                    build::pod("web", "web-2", "10.1.0.12")}));
    CHECK(world.backends(vip) == "");
    world.judge("shop/web-1", health::Verdict::ready);
    CHECK(world.backends(vip) == "10.1.0.11=1");
    world.judge("shop/web-2", health::Verdict::ready);
    CHECK(world.backends(vip) == "10.1.0.11=1 10.1.0.12=1");
    world.judge("shop/web-1", health::Verdict::failed);
    CHECK(world.backends(vip) == "10.1.0.11=0 10.1.0.12=1");
    world.judge("shop/web-1", health::Verdict::ready);
    CHECK(world.backends(vip) == "10.1.0.11=1 10.1.0.12=1");
}

TEST_CASE("at the start a pod that has not answered keeps what the kernel has, later it does not") {
    World world;
    world.kernel = {{"10.1.0.11:8080", 1}, {"10.1.0.12:8080", 0}};
    world.apply(build::transaction({build::service("web", vip), build::pod("web", "web-1", "10.1.0.11"),
                                    build::pod("web", "web-2", "10.1.0.12"), build::pod("web", "web-3", "10.1.0.13")},
                                   true));
    CHECK(world.backends(vip) == "10.1.0.11=1 10.1.0.12=0");
    world.judge("shop/web-1", health::Verdict::failed);
    CHECK(world.backends(vip) == "10.1.0.11=0 10.1.0.12=0");
    world.judge("shop/web-1", health::Verdict::unknown);
    world.connections_end();
    CHECK(world.backends(vip) == "10.1.0.12=0");
}

TEST_CASE("a pod without a probe is used at once") {
    World world;
    world.apply(build::transaction({build::service("web", vip), build::pod("web", "web-1", "10.1.0.11", false)}));
    CHECK(world.backends(vip) == "10.1.0.11=1");
}

TEST_CASE("a pod whose probe podferry cannot run is used, and said to be") {
    World world;
    auto pod = build::pod("web", "web-1", "10.1.0.11");
    pod.containers[0].readiness->handler = api::ExecAction{{"true"}};
    world.apply(build::transaction({build::service("web", vip), pod}));
    CHECK(world.backends(vip) == "10.1.0.11=1");
    CHECK_THAT(world.only_problem(), Catch::Contains("exec probes are not run without container_runtime_socket"));
}

TEST_CASE("removing objects removes what they wanted") {
    World world;
    world.apply(build::transaction({build::service("web", vip), build::pod("web", "web-1", "10.1.0.11", false)}));
    world.apply(build::removal(api::Kind::pod, "web-1"));
    CHECK(world.backends(vip) == "10.1.0.11=0");
    world.connections_end();
    CHECK(world.backends(vip) == "");
    world.apply(build::removal(api::Kind::service, "web"));
    CHECK(world.backends(vip) == "none");
    CHECK_FALSE(world.engine.desired().wishes().wants(netlink::LocalRoute{build::address(vip)}));
}

TEST_CASE("double use of an address is refused for the later object, which takes over when the first goes") {
    World world;
    world.apply(build::transaction({build::service("a", vip)}));
    world.apply(build::transaction({build::service("b", vip), build::pod("b", "b-1", "10.1.0.21", false)}));
    CHECK(world.only_problem() ==
          "test.yaml:1: Service shop/b: spec.clusterIPs: 10.96.0.5 is already the ClusterIP of Service shop/a; choose "
          "another");
    CHECK(world.backends(vip) == "");
    world.apply(build::removal(api::Kind::service, "a"));
    CHECK(problems_of(world.engine).empty());
    CHECK(world.backends(vip) == "10.1.0.21=1");
}

TEST_CASE("a refused change leaves the last good version in force") {
    World world;
    world.apply(build::transaction(
        {build::service("a", vip), build::service("b", "10.96.0.6"), build::pod("b", "b-1", "10.1.0.21", false)}));
    world.apply(build::transaction({build::service("b", vip)}));
    CHECK(problems_of(world.engine).size() == 1);
    CHECK(world.backends("10.96.0.6") == "10.1.0.21=1");
}

namespace {

/// Services a and b of the same external IP and port, each with a pod.
std::pair<api::Service, api::Service> rivals() {
    auto a = build::service("a", "10.96.0.6");
    auto b = build::service("b", "10.96.0.7");
    a.external_ips = b.external_ips = {build::address("203.0.113.9")};
    return {a, b};
}

std::vector<api::Object> rival_pods() {
    return {build::pod("a", "a-1", "10.1.0.1", false), build::pod("b", "b-1", "10.1.0.2", false)};
}

}  // namespace

TEST_CASE("two manifests with the same external IP and port: the first keeps it, the other waits and takes over") {
    World world;
    const auto [a, b] = rivals();
    world.apply(build::transaction(rival_pods()));
    world.apply(build::transaction({a, b}));
    CHECK(world.backends("203.0.113.9") == "10.1.0.1=1");
    CHECK(world.only_problem() ==
          "test.yaml:1: Service shop/b: 203.0.113.9:80/tcp is already served for Service shop/a, whose claim is older; "
          "this front end waits until that one goes or is given another address or port");
    world.apply(build::removal(api::Kind::service, "a"));
    CHECK(world.backends("203.0.113.9") == "10.1.0.2=1");
    CHECK(problems_of(world.engine).empty());
    const auto& desired = world.engine.desired();
    CHECK(desired.wishes().wants({netlink::Set::external, build::address("203.0.113.9"), netlink::Protocol::tcp, 80}));
    world.apply(build::transaction({a}));
    CHECK(world.backends("203.0.113.9") == "10.1.0.2=1");
    CHECK_THAT(world.only_problem(), Catch::Contains("Service shop/a: 203.0.113.9:80/tcp is already served for "
                                                     "Service shop/b"));
    CHECK(world.engine.desired()
              .claims()
              .waits_for({build::address("203.0.113.9"), netlink::Protocol::tcp, 80}, a.name)
              ->name == "b");
}

TEST_CASE("two Services of a cluster with the same external IP and port: the older has it, whichever is seen first") {
    World world;
    auto [a, b] = rivals();
    a.created = std::chrono::sys_seconds(std::chrono::seconds(200));
    b.created = std::chrono::sys_seconds(std::chrono::seconds(100));
    b.external_traffic_policy = api::TrafficPolicy::local;
    const netlink::Element masquerade{netlink::Set::masquerade, build::address("203.0.113.9"), netlink::Protocol::tcp,
                                      80};
    world.apply(build::transaction(rival_pods()));
    world.apply(build::transaction({a}));
    CHECK(world.backends("203.0.113.9") == "10.1.0.1=1");
    CHECK(world.engine.desired().wishes().wants(masquerade));
    world.apply(build::transaction({b}));
    CHECK(world.backends("203.0.113.9") == "10.1.0.2=1");
    CHECK_FALSE(world.engine.desired().wishes().wants(masquerade));
    CHECK_THAT(world.only_problem(), Catch::Contains("Service shop/a"));
    auto elsewhere = b;
    elsewhere.external_ips.clear();
    world.apply(build::transaction({elsewhere}));
    CHECK(world.backends("203.0.113.9") == "10.1.0.1=1");
    CHECK(world.engine.desired().wishes().wants(masquerade));
    CHECK(problems_of(world.engine).empty());
}

TEST_CASE("a node port goes before an external IP that is the node's, however old") {
    World world;
    auto [ports, balanced] = rivals();
    ports.external_ips.clear();
    ports.type = api::ServiceType::node_port;
    ports.ports[0].node_port = 30080;
    balanced.external_ips = {build::address("192.168.50.10")};
    balanced.ports[0].port = 30080;
    const bool ports_first = GENERATE(true, false);
    ports.created = std::chrono::sys_seconds(std::chrono::seconds(ports_first ? 100 : 300));
    balanced.created = std::chrono::sys_seconds(std::chrono::seconds(200));
    world.apply(build::transaction(rival_pods()));
    world.apply(build::transaction({ports, balanced}));
    CHECK(world.backends("192.168.50.10", 30080) == "10.1.0.1=1");
    CHECK(world.engine.desired().wishes().wants({netlink::Set::node_port, {}, netlink::Protocol::tcp, 30080}));
    CHECK_FALSE(world.engine.desired().wishes().wants(
        {netlink::Set::served, build::address("192.168.50.10"), netlink::Protocol::tcp, 30080}));
    world.apply(build::removal(api::Kind::service, "a"));
    CHECK(world.backends("192.168.50.10", 30080) == "10.1.0.2=1");
    CHECK(problems_of(world.engine).empty());
}

TEST_CASE("an external IP that is the node's own address is not taken over, only its service port") {
    World world;
    auto service = build::service("web", vip);
    service.external_ips = {build::address("192.168.50.10")};
    world.apply(build::transaction({service}));
    const auto& desired = world.engine.desired();
    CHECK(world.backends("192.168.50.10") == "");
    CHECK_FALSE(desired.wishes().wants(netlink::LocalRoute{build::address("192.168.50.10")}));
    CHECK_FALSE(desired.wishes().wants(
        netlink::Element{netlink::Set::virtual_address, build::address("192.168.50.10"), netlink::Protocol::none, 0}));
}

TEST_CASE("a node port is served on the node's addresses, and follows them") {
    World world;
    auto service = build::service("web", vip);
    service.type = api::ServiceType::node_port;
    service.ports[0].node_port = 30080;
    world.apply(build::transaction({service, build::pod("web", "web-1", "10.1.0.11", false)}));
    CHECK(world.backends("192.168.50.10", 30080) == "10.1.0.11=1");
    auto facts = World::facts();
    facts.node_port_addresses = {build::address("192.168.50.11")};
    world.engine.set_facts(facts);
    world.plan();
    CHECK(world.backends("192.168.50.10", 30080) == "none");
    CHECK(world.backends("192.168.50.11", 30080) == "10.1.0.11=1");
    facts.node_port_addresses.clear();
    world.engine.set_facts(facts);
    world.plan();
    CHECK(world.backends("192.168.50.11", 30080) == "none");
    CHECK(world.backends(vip) == "10.1.0.11=1");
}

TEST_CASE("session affinity becomes persistence") {
    World world;
    auto service = build::service("web", vip);
    service.client_ip_affinity = std::chrono::seconds(600);
    world.apply(build::transaction({service}));
    const auto* state = world.engine.desired().find({build::address(vip), netlink::Protocol::tcp, 80});
    REQUIRE(state != nullptr);
    CHECK(state->settings.persistent);
    CHECK(state->settings.persistence_s == 600);
}

TEST_CASE("only terminating pods that still serve are better than none") {
    World world;
    auto leaving = build::pod("web", "web-1", "10.1.0.11", false);
    leaving.terminating = true;
    world.apply(build::transaction({build::service("web", vip), leaving}));
    CHECK(world.backends(vip) == "10.1.0.11=1");
    world.apply(build::transaction({build::pod("web", "web-2", "10.1.0.12", false)}));
    CHECK(world.backends(vip) == "10.1.0.11=0 10.1.0.12=1");
    world.connections_end();
    CHECK(world.backends(vip) == "10.1.0.12=1");
}

TEST_CASE("a ready pod of the other address family is no reason to leave out those that still serve") {
    World world;
    auto leaving = build::pod("web", "web-1", "10.1.0.11", false);
    leaving.terminating = true;
    world.apply(
        build::transaction({build::service("web", vip), leaving, build::pod("web", "web-2", "fd00:1::12", false)}));
    CHECK(world.backends(vip) == "10.1.0.11=1");
}

TEST_CASE("a kernel without IPv6 is not asked for it") {
    World world;
    NodeFacts facts = World::facts();
    facts.has_ipv6 = false;
    world.engine.set_facts(facts);
    auto service = build::service("web", vip);
    service.cluster_ips.push_back(build::address("fd00:96::5"));
    world.apply(build::transaction({service, build::pod("web", "web-1", "10.1.0.11", false)}));
    CHECK(world.backends(vip) == "10.1.0.11=1");
    CHECK(world.engine.desired().find({build::address("fd00:96::5"), netlink::Protocol::tcp, 80}) == nullptr);
    CHECK_FALSE(world.engine.desired().wishes().wants(netlink::LocalRoute{build::address("fd00:96::5")}));
    CHECK_THAT(world.only_problem(), Catch::Contains("IPv6 is off on this host") &&
                                         Catch::Contains("at least 1 Services, shop/web among them"));
    world.engine.set_facts(World::facts());  // it is switched on
    world.plan();
    CHECK(world.engine.desired().wishes().wants(netlink::LocalRoute{build::address("fd00:96::5")}));
    CHECK(problems_of(world.engine).empty());
}

TEST_CASE("a scheduler that the kernel lacks costs its Services no connection, and is their problem") {
    World world;
    auto service = build::service("web", vip);
    service.annotations = {{"podferry.io/scheduler", "twos"}};
    world.apply(build::transaction({service, build::service("other", "10.96.0.6")}));
    const auto scheduler = [&] {
        return world.engine.desired().find({build::address(vip), netlink::Protocol::tcp, 80})->settings.scheduler;
    };
    CHECK(scheduler() == "twos");
    CHECK(problems_of(world.engine).empty());
    world.engine.planner().scheduler_is_missing("twos", world.engine.store().services());
    CHECK(world.engine.plan_dirty(world.mirror()) == 2);
    CHECK(scheduler() == "rr");
    CHECK_THAT(world.only_problem(),
               Catch::Contains("Service shop/web: metadata.annotations[podferry.io/scheduler]: this "
                               "node's kernel has no scheduler twos"));
    world.engine.planner().look_for_missing_schedulers([](const std::string& name) { return name == "wrr"; },
                                                       world.engine.store().services());
    CHECK(world.engine.plan_dirty(world.mirror()) == 0);
    CHECK(scheduler() == "rr");
    world.engine.planner().look_for_missing_schedulers([](const std::string& name) { return name == "twos"; },
                                                       world.engine.store().services());
    CHECK(world.engine.plan_dirty(world.mirror()) == 2);
    CHECK(scheduler() == "twos");
    CHECK(problems_of(world.engine).empty());
    service.annotations.clear();
    world.apply(build::transaction({service}));
    CHECK(problems_of(world.engine).empty());
    world.engine.planner().scheduler_is_missing("rr", world.engine.store().services());
    CHECK_THAT(world.only_problem(), Catch::Contains("setting scheduler: this kernel has no scheduler rr"));
}

TEST_CASE("Services whose Local policy finds nothing here are counted") {
    World world;
    const auto counted = [&] {
        return std::pair(world.engine.planner().ledger().findings.services_with({false, false}),
                         world.engine.planner().ledger().findings.services_with({true, false}));
    };
    auto web = build::service("web", vip);
    auto more = build::service("more", "10.96.0.6");
    auto pod = build::pod("web", "web-1", "10.1.0.11", false);
    auto other_pod = build::pod("more", "more-1", "10.1.0.12", false);
    pod.node_name = other_pod.node_name = "n2";
    world.apply(build::transaction({web, more, pod, other_pod}));
    CHECK(counted() == std::pair<std::size_t, std::size_t>(0, 0));
    web.internal_traffic_policy = api::TrafficPolicy::local;
    more.type = api::ServiceType::node_port;
    more.internal_traffic_policy = more.external_traffic_policy = api::TrafficPolicy::local;
    world.apply(build::transaction({web, more}));
    CHECK(counted() == std::pair<std::size_t, std::size_t>(2, 1));
    CHECK(world.engine.planner().ledger().findings.services_with({false, true}) == 0);
    world.apply(build::removal(api::Kind::service, "more"));
    CHECK(counted() == std::pair<std::size_t, std::size_t>(1, 0));
    pod.node_name = "n1";
    world.apply(build::transaction({pod}));
    CHECK(counted() == std::pair<std::size_t, std::size_t>(0, 0));
}

TEST_CASE("what a Service becomes is the role's") {
    const netlink::VirtualServer server{build::address("203.0.113.7"), netlink::Protocol::tcp, 443};
    Engine engine(World::config(), World::facts(), {}, true,
                  [&](const api::Service& service, const Request&, const std::vector<api::PortEndpoints>&,
                      const NodeFacts& facts, const PlanInputs&, std::size_t) {
                      CHECK(service.name.name == "web");
                      CHECK(facts == World::facts());
                      ServicePlan plan;
                      plan.virtual_servers.push_back({server, {}, FrontEndKind::load_balancer});
                      return plan;
                  });
    engine.apply(build::transaction({build::service("web", "10.96.0.5")}));
    CHECK(engine.plan_dirty({}) == 1);
    CHECK(engine.desired().servers_of({"shop", "web"}) == std::vector{server});
    CHECK(engine.desired().wishes().routes().empty());
}
