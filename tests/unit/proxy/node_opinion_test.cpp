// What is done with the endpoints of a node that is silent: whose go out, whose do not, and where nodes are.
#include "proxy/engine/node_opinion.hpp"

#include <catch2/catch.hpp>

#include "opinion_world.hpp"
#include "proxy/engine/reconciler.hpp"
#include "tests/support/fake_kernel.hpp"

using namespace proxy;
using namespace std::chrono_literals;
using build::OpinionWorld;
using health::NodeLife;

namespace {

Config config(CheckMode mode) {
    Config config = build::World::config();
    config.node_check = mode;
    config.node_check_service = "kube-system/podferry-nodes";
    return config;
}

/// A slice of that Service: "n2" of 10.1.0.12, and so on.
api::EndpointSlice slice_of(const std::string& space, const std::string& service,
                            const std::vector<std::pair<std::string, std::string>>& endpoints,
                            api::Protocol protocol = api::Protocol::tcp) {
    api::EndpointSlice slice;
    slice.name = {space, service + "-abc"};
    slice.service = service;
    slice.ports = {{"", protocol, 8080}};
    for (const auto& [address, node] : endpoints) {
        api::Endpoint endpoint;
        endpoint.address = build::address(address);
        endpoint.node_name = node;
        slice.endpoints.push_back(endpoint);
    }
    return slice;
}

using Endpoints = std::vector<std::pair<std::string, std::string>>;

/// Service shop/web with endpoints on n1, which is this node, and others; nodes are at 192.168.50.N.
struct Cluster : OpinionWorld {
    api::Service service = build::service("web", "10.96.0.10");

    explicit Cluster(Endpoints endpoints = {{"10.1.0.11", "n1"}, {"10.1.0.12", "n2"}, {"10.1.0.13", "n3"}},
                     CheckMode mode = CheckMode::enforce, api::Protocol given = api::Protocol::tcp)
        : OpinionWorld(config(mode), given) {
        service.selector.clear();
        service.ports[0].protocol = protocol;
        Endpoints nodes;
        for (int i = 2; i < 10; ++i)
            nodes.emplace_back("192.168.50." + std::to_string(i), "n" + std::to_string(i));
        world.apply(build::transaction(
            {service, slice_of("shop", "web", endpoints, protocol), slice_of("kube-system", "podferry-nodes", nodes)},
            true));
        follow();
        for (const auto& [address, node] : endpoints)
            note(node, NodeLife::alive);
        review();
    }
    void follow() { world.engine.nodes().exchange_changed(); }
    void note(const std::string& node, NodeLife life) {
        world.engine.nodes().note(node, life, life == NodeLife::alive ? "" : "node " + node + " silent since 12:03:04");
    }
    std::string reason(int number) const { return reason_of("10.1.0." + std::to_string(number)); }
};

}  // namespace

TEST_CASE("a suspect node gets no new connections; a dead one's are reset; one that answers is used again") {
    Cluster cluster;
    REQUIRE(cluster.backends() == "11=1 12=1 13=1");
    cluster.note("n2", NodeLife::suspect);
    cluster.review();
    CHECK(cluster.backends() == "11=1 12=0 13=1");
    CHECK(cluster.reason(12) == "node n2 silent since 12:03:04; out, though the API says ready");
    cluster.note("n2", NodeLife::dead);
    cluster.review(2s);
    CHECK(cluster.backends() == "11=1 13=1");  // at once, and without draining
    CHECK(cluster.world.engine.draining().empty());
    CHECK(cluster.reason(12) == "node n2 silent since 12:03:04; out, though the API says ready");
    cluster.note("n2", NodeLife::alive);
    cluster.review(1min);
    CHECK(cluster.backends() == "11=1 12=1 13=1");
    CHECK(cluster.reason(12).empty());
}

TEST_CASE("a suspicion is taken back at once, and a node that flaps stays out longer") {
    Cluster cluster;
    const auto flap = [&] {
        cluster.note("n2", NodeLife::suspect);
        cluster.review(500ms);
        REQUIRE(cluster.backends() == "11=1 12=0 13=1");
        cluster.note("n2", NodeLife::alive);
        cluster.review(500ms);
    };
    flap();
    CHECK(cluster.backends() == "11=1 12=1 13=1");
    flap();
    CHECK(cluster.backends() == "11=1 12=0 13=1");
    cluster.review(5s);
    CHECK(cluster.backends() == "11=1 12=1 13=1");
    cluster.review(10min);
    flap();
    CHECK(cluster.backends() == "11=1 12=1 13=1");  // forgiven
}

TEST_CASE("of UDP, what is on a suspect node is deleted (rule 9)") {
    Cluster cluster({{"10.1.0.11", "n1"}, {"10.1.0.12", "n2"}, {"10.1.0.13", "n3"}}, CheckMode::enforce,
                    api::Protocol::udp);
    cluster.note("n2", NodeLife::suspect);
    cluster.review();
    CHECK(cluster.backends() == "11=1 13=1");
}

TEST_CASE("which silent nodes are believed to be dead") {
    struct Row {
        const char* what;
        Endpoints endpoints;
        std::vector<std::string> silent;
        std::optional<bool> api;
        const char* backends;
    };
    const Endpoints five{
        {"10.1.0.11", "n1"}, {"10.1.0.12", "n2"}, {"10.1.0.13", "n3"}, {"10.1.0.14", "n4"}, {"10.1.0.15", "n5"}};
    const Endpoints two{{"10.1.0.11", "n1"}, {"10.1.0.12", "n2"}};
    const Endpoints three{{"10.1.0.11", "n1"}, {"10.1.0.12", "n2"}, {"10.1.0.13", "n3"}};
    const Endpoints most_here{
        {"10.1.0.11", "n1"}, {"10.1.0.12", "n1"}, {"10.1.0.13", "n1"}, {"10.1.0.14", "n2"}, {"10.1.0.15", "n3"}};
    const Endpoints here{{"10.1.0.11", "n1"}, {"10.1.0.12", "n1"}, {"10.1.0.13", "n2"}};
    const auto row = GENERATE_REF(values<Row>({
        {"one of four", five, {"n2"}, std::nullopt, "11=1 13=1 14=1 15=1"},
        {"two of four", five, {"n2", "n3"}, std::nullopt, "11=1 14=1 15=1"},
        {"three of four at once: we may be cut off (rule 4)",
         five,
         {"n2", "n3", "n4"},
         true,
         "11=1 12=1 13=1 14=1 15=1"},
        {"the only other one, and the API answers", two, {"n2"}, true, "11=1"},
        {"the only other one, and nothing is known of the API", two, {"n2"}, std::nullopt, "11=1"},
        {"the only other one, and the API does not answer either", two, {"n2"}, false, "11=1 12=1"},
        {"both others, and nothing is known of the API", three, {"n2", "n3"}, std::nullopt, "11=1 12=1 13=1"},
        {"both others, and the API answers: most of the Service, so all stay (rule 2)",
         three,
         {"n2", "n3"},
         true,
         "11=1 12=1 13=1"},
        {"both others, of which most of the Service is independent: we may be cut off",
         most_here,
         {"n2", "n3"},
         std::nullopt,
         "11=1 12=1 13=1 14=1 15=1"},
        {"the same, and the API answers", most_here, {"n2", "n3"}, true, "11=1 12=1 13=1"},
        {"one of two, and the API does not answer: the other one does", three, {"n2"}, false, "11=1 13=1"},
        {"this node itself is never judged", here, {"n1"}, true, "11=1 12=1 13=1"},
    }));
    CAPTURE(row.what);
    Cluster cluster(row.endpoints);
    cluster.world.engine.nodes().note_api(row.api);
    for (const std::string& node : row.silent)
        cluster.note(node, NodeLife::suspect);
    cluster.review();
    for (const std::string& node : row.silent)
        cluster.note(node, NodeLife::dead);
    cluster.review(2s);
    CHECK(cluster.backends() == row.backends);
}

TEST_CASE("when this node was cut off, what went out before that was known comes back, and says why it stays") {
    Cluster cluster({{"10.1.0.11", "n1"},
                     {"10.1.0.12", "n2"},
                     {"10.1.0.13", "n3"},
                     {"10.1.0.14", "n4"},
                     {"10.1.0.15", "n5"},
                     {"10.1.0.16", "n6"}});
    cluster.note("n2", NodeLife::suspect);
    cluster.review();
    REQUIRE(cluster.backends() == "11=1 12=0 13=1 14=1 15=1 16=1");
    cluster.note("n3", NodeLife::suspect);
    cluster.note("n4", NodeLife::suspect);
    cluster.review(300ms);
    CHECK(cluster.backends() == "11=1 12=1 13=1 14=1 15=1 16=1");
    CHECK_THAT(cluster.world.engine.nodes().problems().at(0), Catch::Contains("this node may be cut off"));
    for (const char* node : {"n2", "n3", "n4"})
        cluster.note(node, NodeLife::alive);
    cluster.review(1s);
    cluster.review(31s);
    CHECK(cluster.world.engine.nodes().problems().empty());
    cluster.note("n2", NodeLife::suspect);
    cluster.review(1s);
    CHECK(cluster.backends() == "11=1 12=0 13=1 14=1 15=1 16=1");
}

TEST_CASE("a node that has never answered accuses nobody, and the start waits for the others a minute at most") {
    build::World world(true, config(CheckMode::enforce));
    auto service = build::service("web", "10.96.0.10");
    service.selector.clear();
    world.apply(build::transaction(
        {service,
         slice_of("shop", "web", {{"10.1.0.11", "n1"}, {"10.1.0.12", "n2"}, {"10.1.0.13", "n3"}, {"10.1.0.14", "n4"}}),
         slice_of("kube-system", "podferry-nodes",
                  {{"192.168.50.2", "n2"}, {"192.168.50.3", "n3"}, {"192.168.50.4", "n4"}})},
        true));
    auto& nodes = world.engine.nodes();
    nodes.exchange_changed();
    const Time start = Time{} + 1h;
    world.engine.review_opinions(start);
    nodes.note("n2", NodeLife::alive, "");
    nodes.note("n4", NodeLife::alive, "");
    nodes.note("n2", NodeLife::suspect, "silent");
    world.engine.review_opinions(start + 1s);
    CHECK(nodes.of("n2") == nullptr);  // n3 has not said a word yet
    world.engine.review_opinions(start + 60s);
    CHECK(nodes.of("n2") != nullptr);
    nodes.note("n3", NodeLife::suspect, "silent");
    world.engine.review_opinions(start + 61s);
    CHECK(nodes.of("n3") == nullptr);
}

TEST_CASE("only observed, nothing goes out and the reason is told; a Service has its own mode") {
    struct Row {
        CheckMode node;
        const char* service;
        const char* backends;
        const char* reason;
    };
    const auto row = GENERATE(values<Row>({
        {CheckMode::off, "", "11=1 12=1 13=1", ""},
        {CheckMode::observe, "", "11=1 12=1 13=1", "node n2 silent since 12:03:04; only observed"},
        {CheckMode::enforce, "off", "11=1 12=1 13=1", ""},
        {CheckMode::enforce, "observe", "11=1 12=1 13=1", "node n2 silent since 12:03:04; only observed"},
        {CheckMode::observe, "enforce", "11=1 13=1", "node n2 silent since 12:03:04; out, though the API says ready"},
        {CheckMode::off, "enforce", "11=1 12=1 13=1", ""},
    }));
    CAPTURE(row.service);
    Cluster cluster({{"10.1.0.11", "n1"}, {"10.1.0.12", "n2"}, {"10.1.0.13", "n3"}}, row.node);
    if (*row.service != 0)
        cluster.service.annotations["podferry.io/node-check"] = row.service;
    cluster.world.apply(build::transaction({cluster.service}));
    cluster.note("n2", NodeLife::dead);
    cluster.review();
    CHECK(cluster.backends() == row.backends);
    CHECK(cluster.reason(12) == row.reason);
}

TEST_CASE("what a node's silence costs: its Services are planned, and no others") {
    Cluster cluster;
    auto other = build::service("other", "10.96.0.11");
    other.selector.clear();
    cluster.world.apply(build::transaction({other, slice_of("shop", "other", {{"10.1.0.21", "n3"}})}));
    cluster.follow();
    const auto plans = cluster.world.engine.planner().plans();
    cluster.note("n2", NodeLife::suspect);
    cluster.review();
    CHECK(cluster.world.engine.planner().plans() == plans + 1);
    cluster.review(1s);
    CHECK(cluster.world.engine.planner().plans() == plans + 1);
}

TEST_CASE("what drains on a dead node is reset too") {
    Cluster cluster;
    auto slice = slice_of("shop", "web", {{"10.1.0.11", "n1"}, {"10.1.0.12", "n2"}, {"10.1.0.13", "n3"}});
    slice.endpoints[1].ready = slice.endpoints[1].serving = false;
    cluster.world.apply(build::transaction({slice}));
    REQUIRE(cluster.backends() == "11=1 12=0 13=1");  // it drains
    cluster.note("n2", NodeLife::dead);
    cluster.review();
    CHECK(cluster.backends() == "11=1 13=1");
}

TEST_CASE("podferry services shows what a dead node has taken with it") {
    Cluster cluster;
    cluster.note("n2", NodeLife::dead);
    cluster.review();
    testing::FakeKernel kernel;
    Reconciler reconciler(kernel, cluster.world.engine.desired().wishes());
    reconciler.adopt();
    for (int round = 0; round < 4; ++round)
        reconciler.step(Time{}, 100'000);
    const auto view = cluster.world.engine.views(reconciler.mirror()).of(cluster.service);
    REQUIRE_FALSE(view.front_ends.empty());
    const auto& backends = view.front_ends[0].inside.backends;
    REQUIRE(backends.size() == 3);
    CHECK(backends.back() == BackendView{"10.1.0.12", 8080, -1, "node dead",
                                         "node n2 silent since 12:03:04; out, though the API says ready"});
}

TEST_CASE("which nodes are worth a check, and where they are") {
    NodeRoll roll("n1", {"kube-system", "podferry-nodes"});
    api::Store store;
    const auto apply = [&](api::Transaction transaction) {
        roll.apply(transaction, store);
        store.apply(std::move(transaction));
        std::string text;
        for (const auto& [node, address] : roll.exchange_changed())
            text += (text.empty() ? "" : " ") + node + "=" + (address ? address->to_string() : "gone");
        return text;
    };
    const auto web = [](const Endpoints& endpoints) { return slice_of("shop", "web", endpoints); };
    const auto nodes = [](const Endpoints& endpoints) { return slice_of("kube-system", "podferry-nodes", endpoints); };
    CHECK(apply(build::transaction({nodes({{"192.168.50.2", "n2"}, {"192.168.50.1", "n1"}})}, true)).empty());
    CHECK(apply(build::transaction({web({{"10.1.0.11", "n1"}, {"10.1.0.12", "n2"}, {"10.1.0.13", "n3"}})})) ==
          "n2=192.168.50.2");
    CHECK(roll.unknown() == std::set<std::string>{"n3"});
    roll.put("n3", build::address("192.168.50.33"));
    CHECK(roll.unknown().empty());
    CHECK(apply({}) == "n3=192.168.50.33");
    // The slice is nearer to the truth than what was looked up once.
    CHECK(apply(build::transaction({nodes({{"192.168.50.2", "n2"}, {"192.168.50.3", "n3"}})})) == "n3=192.168.50.3");
    // Of two addresses the IPv4 one, whatever comes first.
    CHECK(apply(build::transaction({nodes({{"fd00:50::2", "n2"}, {"192.168.50.2", "n2"}, {"192.168.50.3", "n3"}})}))
              .empty());
    // One that is named twice in a transaction counts once.
    auto twice = build::transaction({web({{"10.1.0.12", "n2"}}), web({{"10.1.0.12", "n2"}})});
    CHECK(apply(twice) == "n3=gone");
    // Another Service's slice of that name says nothing.
    CHECK(apply(build::transaction({slice_of("shop", "podferry-nodes", {{"192.168.50.66", "n2"}})})).empty());
    api::Transaction removal;
    removal.removals = {{api::Kind::endpoint_slice, {"shop", "web-abc"}},
                        {api::Kind::endpoint_slice, {"shop", "podferry-nodes-abc"}}};
    CHECK(apply(removal) == "n2=gone");
}
