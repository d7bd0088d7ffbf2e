// Readiness and selectors to endpoints: the truth table of the endpoint slice controller.
#include "api/objects/endpoints.hpp"

#include <catch2/catch.hpp>

using namespace api;

namespace {

Address ip(const char* text) {
    return base::make_address(text);
}

Service web(bool publish_not_ready = false) {
    Service s;
    s.name = {"shop", "web"};
    s.selector = {{"app", "web"}};
    s.ports = {{"http", Protocol::tcp, 80, std::uint16_t{8080}, 0}};
    s.publish_not_ready_addresses = publish_not_ready;
    return s;
}

Pod pod(const char* address = "10.1.0.1") {
    Pod p;
    p.name = {"shop", "p"};
    p.labels = {{"app", "web"}};
    p.ips = {ip(address)};
    Container container;
    container.name = "main";
    container.ports = {{"web", Protocol::tcp, 8081}, {"web", Protocol::udp, 8082}};
    p.containers = {container};
    return p;
}

Store store_of(std::vector<Object> objects) {
    Store store;
    Transaction transaction;
    for (Object& object : objects)
        transaction.upserts.push_back({std::move(object), {}});
    store.apply(std::move(transaction));
    return store;
}

std::vector<ResolvedEndpoint> endpoints(const Service& service, const Store& store, PodReadiness readiness = {}) {
    auto groups = endpoints_of(service, store, [&](const Pod&) { return readiness; }, "node");
    return groups.empty() ? std::vector<ResolvedEndpoint>{} : groups[0].endpoints;
}

/// "ready serving terminating unknown", a letter each, '-' where not.
std::string flags(const ResolvedEndpoint& e) {
    return std::string(e.ready ? "r" : "-") + (e.serving ? "s" : "-") + (e.terminating ? "t" : "-") +
           (e.unknown ? "u" : "-");
}

}  // namespace

TEST_CASE("the truth table of readiness, deletion and publishNotReadyAddresses") {
    struct Row {
        std::optional<bool> verdict;
        bool deleting;
        bool publish;
        const char* flags;
    };
    const auto row = GENERATE(values<Row>({
        {true, false, false, "rs--"},
        {false, false, false, "----"},
        {std::nullopt, false, false, "---u"},
        {true, true, false, "-st-"},
        {false, true, false, "--t-"},
        {true, true, true, "rst-"},
        {false, false, true, "r---"},
        {false, true, true, "r-t-"},
        {std::nullopt, false, true, "r---"},
    }));
    Pod p = pod();
    p.terminating = row.deleting;
    const auto found = endpoints(web(row.publish), store_of({p}), {true, row.verdict});
    REQUIRE(found.size() == 1);
    CHECK(flags(found[0]) == row.flags);
}

TEST_CASE("without a prober the status counts; without a status the pod is ready") {
    struct Row {
        const char* what;
        void (*change)(Pod&);
        bool ready;
    };
    const auto row = GENERATE(values<Row>({
        {"nothing", [](Pod&) {}, true},
        {"condition", [](Pod& p) { p.conditions["Ready"] = false; }, false},
        {"container status", [](Pod& p) { p.container_statuses = {{"main", "", false, {}, ContainerState::running}}; },
         false},
        {"ready container", [](Pod& p) { p.container_statuses = {{"main", "", true, {}, ContainerState::running}}; },
         true},
        {"gate without condition", [](Pod& p) { p.readiness_gates = {"example.com/gate"}; }, false},
        {"gate",
         [](Pod& p) {
             p.readiness_gates = {"example.com/gate"};
             p.conditions["example.com/gate"] = true;
         },
         true},
        {"pending", [](Pod& p) { p.phase = PodPhase::pending; }, false},
    }));
    CAPTURE(row.what);
    Pod p = pod();
    row.change(p);
    const auto found = endpoints(web(), store_of({p}));
    REQUIRE(found.size() == 1);
    CHECK(found[0].ready == row.ready);
}

TEST_CASE("pods that have ended or have no address are no endpoints") {
    Pod ended = pod();
    ended.phase = PodPhase::succeeded;
    CHECK(endpoints(web(), store_of({ended})).empty());
    ended.phase = PodPhase::failed;  // so is an evicted one
    CHECK(endpoints(web(), store_of({ended})).empty());
    Pod homeless = pod();
    homeless.ips.clear();
    CHECK(endpoints(web(), store_of({homeless})).empty());
}

TEST_CASE("a named target port is looked up by name and protocol, for each pod") {
    Service service = web();
    service.ports[0].target_port = "web";
    CHECK(endpoints(service, store_of({pod()}))[0].port == 8081);
    service.ports[0].protocol = Protocol::udp;
    CHECK(endpoints(service, store_of({pod()}))[0].port == 8082);
    service.ports[0].target_port = "missing";
    CHECK(endpoints(service, store_of({pod()})).empty());
}

TEST_CASE("a pod on the host's network has the addresses of its Node") {
    Pod p = pod();
    p.ips.clear();
    p.host_network = true;
    p.node_name = "node";
    const Node node{{"", "node"}, {ip("192.168.50.10")}};
    const auto found = endpoints(web(), store_of({p, node}));
    REQUIRE(found.size() == 1);
    CHECK(found[0].address == ip("192.168.50.10"));
    CHECK(found[0].local);
}

TEST_CASE("given slices count only for a Service without a selector; ports by name and protocol") {
    EndpointSlice slice;
    slice.name = {"shop", "s"};
    slice.service = "web";
    slice.ports = {{"http", Protocol::tcp, 9000}, {"other", Protocol::tcp, 9001}};
    slice.endpoints = {{ip("10.1.0.7"), true, true, false, std::string("node")}};
    CHECK(endpoints(web(), store_of({slice})).empty());
    Service open = web();
    open.selector.clear();
    const auto found = endpoints(open, store_of({slice}));
    REQUIRE(found.size() == 1);
    CHECK(found[0].port == 9000);
    CHECK(found[0].local);
}

TEST_CASE("an address in two slices counts once, the ready one") {
    EndpointSlice old;
    old.name = {"shop", "a"};
    old.service = "web";
    old.ports = {{"http", Protocol::tcp, 80}};
    old.endpoints = {{ip("10.1.0.7"), false, false, false, {}}};
    EndpointSlice fresh = old;
    fresh.name.name = "b";
    fresh.endpoints[0].ready = true;
    Service open = web();
    open.selector.clear();
    const auto found = endpoints(open, store_of({old, fresh}));
    REQUIRE(found.size() == 1);
    CHECK(found[0].ready);
}

TEST_CASE("no more endpoints are resolved than asked for, port by port") {
    Service service;
    service.name = {"shop", "web"};
    std::vector<Object> objects;
    EndpointSlice slice;
    slice.name = {"shop", "web-1"};
    slice.service = "web";
    for (const char* name : {"a", "b", "c"}) {
        service.ports.push_back({name, Protocol::tcp, static_cast<std::uint16_t>(80 + service.ports.size()), {}, 0});
        slice.ports.push_back({name, Protocol::tcp, 8080});
    }
    for (const char* address : {"10.1.0.11", "10.1.0.12", "10.1.0.13"}) {
        Endpoint endpoint;
        endpoint.address = ip(address);
        slice.endpoints.push_back(endpoint);
    }
    objects.push_back(slice);
    const Store store = store_of(objects);
    struct Row {
        std::size_t most;
        const char* groups;
    };
    const Row rows[] = {{9, "3 3 3 "}, {8, "3 3 "},       {6, "3 3 "},      {5, "3 "},
                        {3, "3 "},     {2, "2 of more "}, {0, "0 of more "}};
    for (const Row& row : rows) {
        std::string groups;
        for (const PortEndpoints& group :
             endpoints_of(service, store, [](const Pod&) { return PodReadiness{}; }, "node", row.most))
            groups += std::to_string(group.endpoints.size()) + (group.all ? " " : " of more ");
        CHECK(groups == row.groups);
    }
}
