// A second opinion on pods of a cluster: whom own checks take out of a Service, and whom they may not.
#include "proxy/engine/second_opinion.hpp"

#include <catch2/catch.hpp>

#include "opinion_world.hpp"

using namespace proxy;
using namespace std::chrono_literals;
using build::OpinionWorld;
using health::Verdict;

namespace {

Config config(CheckMode mode) {
    Config config = build::World::config();
    config.second_opinion = mode;
    return config;
}

/// A pod of node n1 whose container runs.
api::Pod running(const std::string& name, const std::string& address, const std::string& id = "containerd://1") {
    auto pod = build::pod("web", name, address);
    pod.node_name = "n1";
    pod.container_statuses = {{"main", id, true, true, api::ContainerState::running}};
    return pod;
}

api::Service web(api::Protocol protocol = api::Protocol::tcp) {
    auto service = build::service("web", "10.96.0.10");
    service.selector.clear();
    service.ports[0].protocol = protocol;
    return service;
}

/// Service shop/web has 10.1.0.11 (pod web-1) and so on; the last `remote` of `ready` are on another node.
struct Cluster : OpinionWorld {
    std::size_t ready;
    std::size_t remote;

    explicit Cluster(CheckMode mode, std::size_t given_ready = 3, std::size_t given_remote = 1,
                     api::Protocol given_protocol = api::Protocol::tcp)
        : OpinionWorld(config(mode), given_protocol), ready(given_ready), remote(given_remote) {
        std::vector<api::Object> objects{web(protocol), slice({})};
        for (std::size_t i = 0; i + remote < ready; ++i)
            objects.emplace_back(running("web-" + std::to_string(i + 1), address(i)));
        world.apply(build::transaction(objects, true));
        review();
        for (std::size_t i = 0; i + remote < ready; ++i)
            note(i, Verdict::ready);
        review();
    }
    static std::string address(std::size_t index) { return "10.1.0." + std::to_string(11 + index); }
    /// `not_ready`: by their index.
    api::EndpointSlice slice(const std::set<std::size_t>& not_ready) const {
        api::EndpointSlice slice;
        slice.name = {"shop", "web-abc"};
        slice.service = "web";
        slice.ports = {{"", protocol, 8080}};
        for (std::size_t i = 0; i < ready; ++i) {
            api::Endpoint endpoint;
            endpoint.address = build::address(address(i));
            endpoint.ready = endpoint.serving = !not_ready.contains(i);
            endpoint.node_name = std::string(i + remote < ready ? "n1" : "n2");
            slice.endpoints.push_back(endpoint);
        }
        return slice;
    }
    void note(std::size_t index, Verdict verdict) {
        world.engine.note_verdict({"shop/web-" + std::to_string(index + 1), "main"}, verdict, "connect: timeout");
    }
    std::string reason(std::size_t index) const { return reason_of(address(index)); }
};

}  // namespace

TEST_CASE("a pod that fails our probe gets no new connections, says why, and gets its weight back") {
    Cluster cluster(CheckMode::enforce);
    CHECK(cluster.backends() == "11=1 12=1 13=1");
    cluster.note(0, Verdict::failed);
    CHECK(cluster.world.engine.next_opinion() == Time{});
    cluster.review();
    CHECK(cluster.backends() == "11=0 12=1 13=1");
    CHECK(cluster.reason(0) == "connect: timeout; out, though the API says ready");
    CHECK(cluster.reason(1).empty());
    cluster.note(0, Verdict::ready);
    cluster.review(1s);
    CHECK(cluster.backends() == "11=0 12=1 13=1");  // not at once (rule 7)
    cluster.review(4s);
    CHECK(cluster.backends() == "11=1 12=1 13=1");
    CHECK(cluster.reason(0).empty());
}

TEST_CASE("a pod of which something else has changed is out as before") {
    Cluster cluster(CheckMode::enforce);
    cluster.note(0, Verdict::failed);
    cluster.review();
    auto pod = running("web-1", "10.1.0.11");
    pod.labels["more"] = "yes";
    cluster.world.apply(build::transaction({pod}));
    cluster.review();
    CHECK(cluster.backends() == "11=0 12=1 13=1");
    CHECK(cluster.reason(0) == "connect: timeout; out, though the API says ready");
}

TEST_CASE("our probes never make ready what the API calls not ready") {
    Cluster cluster(CheckMode::enforce);
    cluster.world.apply(build::transaction({cluster.slice({0})}));
    cluster.review();
    CHECK(cluster.backends().find("11=1") == std::string::npos);
    cluster.note(0, Verdict::failed);  // and agree silently
    cluster.review();
    CHECK(cluster.reason(0).empty());
}

TEST_CASE("what a verdict costs: its Services are planned, and only when it changes something") {
    Cluster cluster(CheckMode::enforce);
    const auto plans = cluster.world.engine.planner().plans();
    cluster.review(1s);
    CHECK(cluster.world.engine.planner().plans() == plans);
    cluster.note(0, Verdict::failed);
    cluster.review();
    CHECK(cluster.world.engine.planner().plans() == plans + 1);
    cluster.review(1min);
    CHECK(cluster.world.engine.planner().plans() == plans + 1);
}

TEST_CASE("of UDP it goes, since a client that keeps its port would stay with it (rule 9)") {
    Cluster cluster(CheckMode::enforce, 3, 1, api::Protocol::udp);
    cluster.note(0, Verdict::failed);
    cluster.review();
    CHECK(cluster.backends() == "12=1 13=1");
}

TEST_CASE("when most fail, all get connections, and that is a problem of the Service (rule 2)") {
    Cluster cluster(CheckMode::enforce, 5, 1);
    for (const std::size_t pod : {0, 1, 2})
        cluster.note(pod, Verdict::failed);
    cluster.review();
    CHECK(cluster.backends() == "11=1 12=1 13=1 14=1 15=1");
    CHECK(cluster.reason(0) == "connect: timeout; kept: most of them fail");
    CHECK_THAT(cluster.world.only_problem(), Catch::Contains("it may be the probes that are wrong"));
    CHECK(cluster.world.engine.planner().ledger().guards.panicking() == 1);
    for (const std::size_t pod : {1, 2})
        cluster.note(pod, Verdict::ready);
    cluster.review(10s);
    CHECK(cluster.backends() == "11=1 12=1 13=1 14=1 15=1");
    CHECK(cluster.world.engine.next_opinion() == cluster.now + 30s);
    cluster.review(30s);
    CHECK(cluster.backends() == "11=0 12=1 13=1 14=1 15=1");
    CHECK(cluster.world.engine.planner().ledger().guards.panicking() == 0);
    CHECK(problems_of(cluster.world.engine).empty());
}

TEST_CASE("of a Local policy the last endpoint of this node stays, whatever others there are") {
    Cluster cluster(CheckMode::enforce, 3, 2);
    auto service = web();
    service.internal_traffic_policy = api::TrafficPolicy::local;
    cluster.world.apply(build::transaction({service}));
    cluster.note(0, Verdict::failed);
    cluster.review();
    CHECK(cluster.backends() == "11=1 12=0 13=0");  // the others drain
    CHECK(cluster.reason(0) ==
          "connect: timeout; out, though the API says ready; where only this node's count: kept: it is the last one");
    service.internal_traffic_policy = api::TrafficPolicy::cluster;
    cluster.world.apply(build::transaction({service}));
    CHECK(cluster.backends() == "11=0 12=1 13=1");
}

TEST_CASE("only observed, nothing is taken out, and the reason is told") {
    Cluster cluster(CheckMode::observe);
    cluster.note(0, Verdict::failed);
    cluster.review();
    CHECK(cluster.backends() == "11=1 12=1 13=1");
    CHECK(cluster.reason(0) == "connect: timeout; only observed");
}

TEST_CASE("a Service has its own mode by an annotation, where there is a second opinion at all (rule 10)") {
    struct Row {
        CheckMode node;
        const char* service;
        const char* backends;
        bool problem;
    };
    const auto row = GENERATE(values<Row>({{CheckMode::enforce, "off", "11=1 12=1 13=1", false},
                                           {CheckMode::enforce, "observe", "11=1 12=1 13=1", false},
                                           {CheckMode::observe, "enforce", "11=0 12=1 13=1", false},
                                           {CheckMode::enforce, "yes", "11=0 12=1 13=1", true},
                                           {CheckMode::off, "enforce", "11=1 12=1 13=1", false}}));
    CAPTURE(row.service);
    Cluster cluster(row.node);
    auto service = web();
    service.annotations["podferry.io/second-opinion"] = row.service;
    cluster.world.apply(build::transaction({service}));
    cluster.note(0, Verdict::failed);
    cluster.review();
    CHECK(cluster.backends() == row.backends);
    CHECK(problems_of(cluster.world.engine).empty() != row.problem);
}

TEST_CASE("nobody is accused any more by what was found of a former container, or of a pod that is gone") {
    Cluster cluster(CheckMode::enforce);
    cluster.note(0, Verdict::failed);
    cluster.review();
    REQUIRE(cluster.backends() == "11=0 12=1 13=1");
    SECTION("another container") {
        cluster.world.apply(build::transaction({running("web-1", "10.1.0.11", "containerd://2")}));
        cluster.review();
        CHECK(cluster.backends() == "11=1 12=1 13=1");
        cluster.note(0, Verdict::failed);  // it has never passed
        cluster.review();
        CHECK(cluster.backends() == "11=1 12=1 13=1");
    }
    SECTION("the pod is gone, and its endpoint is still there") {
        cluster.world.apply(build::removal(api::Kind::pod, "web-1"));
        cluster.review();
        CHECK(cluster.backends() == "11=1 12=1 13=1");
    }
    SECTION("another address") {
        cluster.world.apply(build::transaction({running("web-1", "10.1.0.99")}));
        cluster.review();
        CHECK(cluster.backends() == "11=1 12=1 13=1");
    }
    SECTION("it has no probe any more") {
        auto pod = running("web-1", "10.1.0.11");
        pod.containers[0].readiness.reset();
        cluster.world.apply(build::transaction({pod}));
        cluster.review();
        CHECK(cluster.backends() == "11=1 12=1 13=1");
    }
}

TEST_CASE("an endpoint of another node is not ours to judge, whatever has its address here") {
    Cluster cluster(CheckMode::enforce, 3, 1);
    cluster.world.apply(build::transaction({running("odd", "10.1.0.13")}));
    cluster.world.engine.note_verdict({"shop/odd", "main"}, Verdict::ready);
    cluster.world.engine.note_verdict({"shop/odd", "main"}, Verdict::failed);
    cluster.review();
    CHECK(cluster.backends() == "11=1 12=1 13=1");
}

TEST_CASE("whom a second opinion asks: readiness of what runs and has started") {
    auto pod = running("web-1", "10.1.0.11");
    pod.containers[0].liveness = pod.containers[0].readiness;
    const auto targets = second_opinion_targets(pod, "");
    REQUIRE(targets.size() == 1);
    CHECK(targets.begin()->second.readiness);
    CHECK_FALSE(targets.begin()->second.liveness);
    CHECK(targets.begin()->second.incarnation == "containerd://1");
    struct Row {
        const char* what;
        std::function<void(api::Pod&)> change;
    };
    for (const Row& row : std::vector<Row>{
             {"no probe", [](api::Pod& p) { p.containers[0].readiness.reset(); }},
             {"the host's network", [](api::Pod& p) { p.host_network = true; }},
             {"about to end", [](api::Pod& p) { p.terminating = true; }},
             {"ended", [](api::Pod& p) { p.phase = api::PodPhase::succeeded; }},
             {"no address", [](api::Pod& p) { p.ips.clear(); }},
             {"waiting", [](api::Pod& p) { p.container_statuses[0].state = api::ContainerState::waiting; }},
             {"not started", [](api::Pod& p) { p.container_statuses[0].started = false; }},
             {"no status", [](api::Pod& p) { p.container_statuses.clear(); }},
             {"not by podferry",
              [](api::Pod& p) { p.containers[0].readiness->handler = api::ExecAction{{"true"}}; }}}) {
        CAPTURE(row.what);
        auto other = pod;
        row.change(other);
        CHECK(second_opinion_targets(other, "").empty());
    }
    pod.containers[0].readiness->handler = api::ExecAction{{"true"}};
    CHECK(second_opinion_targets(pod, "/run/cri.sock").size() == 1);
}
