// Who is affected by a change.
#include "api/objects/store.hpp"

#include <catch2/catch.hpp>

using namespace api;

namespace {

Service service(const std::string& name, Labels selector) {
    Service s;
    s.name = {"shop", name};
    s.selector = std::move(selector);
    return s;
}
Pod pod(const std::string& name, Labels labels) {
    Pod p;
    p.name = {"shop", name};
    p.labels = std::move(labels);
    return p;
}
EndpointSlice slice(const std::string& name, const std::string& of) {
    EndpointSlice s;
    s.name = {"shop", name};
    s.service = of;
    return s;
}

std::string affected(Store& store, std::vector<Object> upserts, std::vector<Removal> removals = {}) {
    Transaction transaction;
    for (Object& object : upserts)
        transaction.upserts.push_back({std::move(object), {}});
    transaction.removals = std::move(removals);
    std::string text;
    for (const ObjectName& name : store.apply(std::move(transaction)))
        text += (text.empty() ? "" : " ") + name.name;
    return text;
}

}  // namespace

TEST_CASE("a pod affects the Services whose selector matches it, before and after the change") {
    Store store;
    CHECK(affected(store, {service("web", {{"app", "web"}}), service("all", {{"tier", "front"}}),
                           service("none", {})}) == "all none web");
    CHECK(affected(store, {pod("p", {{"app", "web"}, {"tier", "front"}})}) == "all web");
    CHECK(affected(store, {pod("p", {{"app", "other"}, {"tier", "front"}})}) == "all web");
    CHECK(affected(store, {pod("p", {{"app", "other"}})}) == "all");
    CHECK(affected(store, {}, {{Kind::pod, {"shop", "p"}}}) == "");
}

TEST_CASE("ServiceCIDRs are kept, and affect nobody") {
    Store store;
    affected(store, {service("a", {})});
    CHECK(affected(store, {ServiceCidr{{"", "kubernetes"}, {}}}) == "");
    CHECK(store.service_cidrs().size() == 1);
    CHECK(affected(store, {}, {{Kind::service_cidr, {"", "kubernetes"}}}) == "");
    CHECK(store.service_cidrs().empty());
}

TEST_CASE("a Node affects the Services of the pods that have its addresses") {
    Store store;
    Pod on_host = pod("agent", {{"app", "agent"}});
    on_host.node_name = "n1";
    on_host.host_network = true;
    Pod beside = pod("web", {{"app", "web"}});
    beside.node_name = "n1";
    affected(store, {service("agent", {{"app", "agent"}}), service("web", {{"app", "web"}}), on_host, beside});
    Node node;
    node.name = {"", "n1"};
    CHECK(affected(store, {node}) == "agent");
    CHECK(affected(store, {}, {{Kind::node, {"", "n1"}}}) == "agent");
    node.name = {"", "n2"};
    CHECK(affected(store, {node}) == "");
}

TEST_CASE("every label of a selector has to match, in the same namespace") {
    Store store;
    const Service web = service("web", {{"app", "web"}, {"track", "stable"}});
    affected(store, {web, pod("a", {{"app", "web"}, {"track", "stable"}}), pod("b", {{"app", "web"}})});
    auto foreign = pod("c", {{"app", "web"}, {"track", "stable"}});
    foreign.name.space = "other";
    affected(store, {foreign});
    REQUIRE(store.pods_of(web).size() == 1);
    CHECK(store.pods_of(web)[0]->name.name == "a");
    CHECK(store.pods_of(service("none", {})).empty());
}

TEST_CASE("a slice that changes its Service affects both") {
    Store store;
    CHECK(affected(store, {slice("s", "web")}) == "web");
    CHECK(affected(store, {slice("s", "db")}) == "db web");
    CHECK(store.slices_of({"shop", "web"}).empty());
    CHECK(store.slices_of({"shop", "db"}).size() == 1);
    CHECK(affected(store, {}, {{Kind::endpoint_slice, {"shop", "s"}}}) == "db");
}

TEST_CASE("a Service's new selector replaces the old one") {
    Store store;
    affected(store, {service("web", {{"app", "web"}})});
    affected(store, {service("web", {{"app", "new"}})});
    CHECK(affected(store, {pod("p", {{"app", "web"}})}) == "");
    CHECK(affected(store, {pod("p", {{"app", "new"}})}) == "web");
}
