// What moving reads of the API's answers, and its patches.
#include <catch2/catch.hpp>

#include "proxy/migrate/move_objects.hpp"

using namespace proxy;

namespace {

std::string daemon_set(const std::string& affinity) {
    return R"({"metadata": {"resourceVersion": "7"}, "spec": {"selector": {"matchLabels": {"k8s-app": "kube-proxy", "tier": "node"}},
               "template": {"spec": {)" +
           affinity + "}}}}";
}

std::string requiring(const std::string& terms) {
    return R"("affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [)" +
           terms + "]}}}";
}

const std::string linux_only = R"({"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]})";
const std::string no_served = R"({"key": "podferry.io/served", "operator": "DoesNotExist"})";
const std::string moved = R"({"key": "podferry.io/moved", "operator": "Exists"})";

std::string term(const std::string& expressions) {
    return R"({"matchExpressions": [)" + expressions + "]}";
}

}  // namespace

TEST_CASE("where a DaemonSet's pods run is read from its affinity", "[migrate]") {
    struct Row {
        std::string affinity;
        bool wants_moved;
        bool leaves_served;
    };
    const auto row = GENERATE_COPY(values<Row>({
        {"", false, false},
        {R"("affinity": null)", false, false},
        {requiring(term(moved)), true, false},
        {requiring(term(no_served)), false, true},
        {requiring(term(linux_only + "," + no_served)), false, true},
        // One term is enough for a node: the second lets it on.
        {requiring(term(no_served) + "," + term(linux_only)), false, false},
        {requiring(""), false, false},
        {R"("affinity": {"nodeAffinity": []})", false, false},
    }));
    CAPTURE(row.affinity);
    const auto read = read_daemon_set(daemon_set(row.affinity));
    REQUIRE(read);
    CHECK(read->view.there);
    CHECK(read->view.wants_moved == row.wants_moved);
    CHECK(read->view.leaves_served == row.leaves_served);
    CHECK(read->selector == "k8s-app=kube-proxy,tier=node");
}

TEST_CASE("a patch adds the exception to each term, and takes it away again", "[migrate]") {
    const auto patched = [](const std::string& affinity, bool except) {
        return served_patch(read_daemon_set(daemon_set(affinity)).value(), except);
    };
    const auto around = [](const std::string& terms) {
        return R"({"spec":{"template":{"spec":{"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":)" +
               (terms.empty() ? "null" : R"({"nodeSelectorTerms":[)" + terms + "]}") +
               R"(}}}}},"metadata":{"resourceVersion":"7"}})";
    };
    const std::string linux_plain = R"({"key":"kubernetes.io/os","operator":"In","values":["linux"]})";
    const std::string served_plain = R"({"key":"podferry.io/served","operator":"DoesNotExist"})";
    const auto plain = [](const std::string& expressions) { return R"({"matchExpressions":[)" + expressions + "]}"; };
    CHECK(patched("", true) == around(plain(served_plain)));
    CHECK(patched(requiring(term(linux_only)), true) == around(plain(linux_plain + "," + served_plain)));
    CHECK(patched(requiring(term(linux_only + "," + no_served)), false) == around(plain(linux_plain)));
    CHECK(patched(requiring(term(no_served)), false) == around(""));
    CHECK(label_patch({"n1", moved_label, true}) == R"({"metadata":{"labels":{"podferry.io/moved":""}}})");
    CHECK(label_patch({"n1", served_label, false}) == R"({"metadata":{"labels":{"podferry.io/served":null}}})");
}

TEST_CASE("nodes and pods are read from lists", "[migrate]") {
    const auto nodes = read_nodes(R"({"metadata": {"continue": "abc"}, "items": [
        {"metadata": {"name": "n1", "labels": {"podferry.io/moved": ""}}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}},
        {"metadata": {"name": "n2"}, "status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}]})");
    REQUIRE(nodes);
    CHECK(nodes->next == "abc");
    REQUIRE(nodes->items.size() == 2);
    CHECK((nodes->items[0].name == "n1" && nodes->items[0].ready && nodes->items[0].moved && !nodes->items[0].served));
    CHECK((nodes->items[1].name == "n2" && !nodes->items[1].ready && !nodes->items[1].moved));
    const auto pods = read_pods(R"({"items": [
        {"spec": {"nodeName": "n1"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}},
        {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}, "spec": {"nodeName": "n2"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}},
        {"spec": {"nodeName": "n3"}}]})");
    REQUIRE(pods);
    REQUIRE(pods->items.size() == 3);
    CHECK(pods->items[0].state == PodState::ready);
    CHECK(pods->items[1].state == PodState::starting);  // it is there until it has ended
    CHECK(pods->items[2].state == PodState::starting);
}

TEST_CASE("an answer that is none is an error, and no crash", "[migrate]") {
    const std::string text =
        GENERATE("", "[]", "null", "{", R"({"spec": 7})", R"({"spec": {"selector": {"matchLabels": {}}}})");
    CAPTURE(text);
    CHECK_FALSE(read_daemon_set(text));
    CHECK(read_nodes(R"({"items": [7, {"metadata": {"labels": 3, "name": 4}}]})").value().items.size() == 2);
}
