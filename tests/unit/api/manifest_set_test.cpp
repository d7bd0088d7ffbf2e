// Which version of an object is in force, over files and time.
#include "api/folder/manifest_set.hpp"

#include <catch2/catch.hpp>

using namespace api;

namespace {

std::string service(const std::string& name, int port) {
    return "{apiVersion: v1, kind: Service, metadata: {name: " + name +
           "}, spec: {ports: [{port: " + std::to_string(port) + "}]}}\n---\n";
}

struct World {
    ManifestSet set;
    /// "+a:80 -b" after the file got this text.
    std::string update(const std::string& file, const std::string& text) {
        set.update(file, read_manifest(file, text));
        return changes();
    }
    std::string remove(const std::string& file) {
        set.remove(file);
        return changes();
    }
    std::string changes() {
        const Transaction transaction = set.exchange_changes(false);
        problems = transaction.problems;
        std::string text;
        for (const Upsert& upsert : transaction.upserts) {
            const auto& changed = std::get<Service>(upsert.object);
            text += (text.empty() ? "+" : " +") + changed.name.name + ":" + std::to_string(changed.ports[0].port);
        }
        for (const Removal& removal : transaction.removals)
            text += (text.empty() ? "-" : " -") + removal.name.name;
        return text;
    }
    std::vector<Problem> problems;
};

}  // namespace

TEST_CASE("only what differs is delivered") {
    World world;
    CHECK(world.update("a", service("a", 80) + service("b", 80)) == "+a:80 +b:80");
    CHECK(world.update("a", service("a", 80) + service("b", 80)) == "");
    CHECK(world.update("a", service("a", 80) + service("b", 81)) == "+b:81");
    CHECK(world.update("a", service("b", 81)) == "-a");
    CHECK(world.remove("a") == "-b");
    CHECK(world.remove("a") == "");
}

TEST_CASE("a bad version leaves the last good one in force") {
    World world;
    world.update("a", service("a", 80) + service("b", 80));
    CHECK(world.update("a", service("a", 0) + service("b", 81)) == "+b:81");
    CHECK(world.problems.size() == 1);
    CHECK(world.update("a", "{{{") == "");
    CHECK(world.update("a", "") == "");
    CHECK(world.problems.size() == 1);
    CHECK(world.update("a", service("a", 82) + service("b", 81)) == "+a:82");
    CHECK(world.problems.empty());
}

TEST_CASE("the first file that names an object has it; the next takes over when it lets go") {
    World world;
    world.update("a", service("x", 80));
    CHECK(world.update("b", service("x", 90)) == "");
    CHECK(to_string(world.problems.at(0)) == "b:1: Service default/x: is given already in a:1; this one is not used");
    CHECK(world.remove("a") == "-x");
    CHECK(world.set.exchange_stale() == std::set<std::string>{"b"});
    CHECK(world.update("b", service("x", 90)) == "+x:90");
    CHECK(world.problems.empty());
}

TEST_CASE("an object that moves from file to file is never removed when both are read together") {
    World world;
    world.update("a", service("x", 80));
    world.set.update("b", read_manifest("b", service("x", 80)));
    world.set.update("a", read_manifest("a", service("other", 80)));
    for (const std::string& file : world.set.exchange_stale())
        world.set.update(file, read_manifest(file, service("x", 80)));
    CHECK(world.changes() == "+other:80 +x:80");
}

TEST_CASE("twice in one file is a mistake of the second") {
    World world;
    CHECK(world.update("a", service("x", 80) + service("x", 81)) == "+x:80");
    CHECK(world.problems.size() == 1);
}

TEST_CASE("a document that cannot be read costs its own object only, and removes none") {
    World world;
    world.update("a", service("a", 80) + service("b", 80));
    CHECK(world.update("a", service("a", 81) + "b: [1,\n---\n" + service("c", 80)) == "+a:81 +c:80");
    REQUIRE(world.problems.size() == 1);
    CHECK_THAT(to_string(world.problems[0]), Catch::Contains("a:4: YAML: ") && Catch::Contains("before stays"));
    CHECK(world.update("a", service("a", 81) + service("c", 80)) == "-b");
}

TEST_CASE("what follows '---' in its line is a mistake, as it is for kubectl") {
    World world;
    CHECK(world.update("a", "--- # first\n" + service("a", 80) + "--- " + service("b", 80) + service("c", 80)) ==
          "+a:80 +c:80");
    REQUIRE(world.problems.size() == 1);
    CHECK_THAT(to_string(world.problems[0]), Catch::StartsWith("a:4: YAML: only a comment"));
}

TEST_CASE("files are read in the encodings that kubectl reads") {
    World world;
    const std::string json =
        R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"a"},"spec":{"ports":[{"port":80}]}})";
    std::string little = "\xff\xfe";
    std::string big = "\xfe\xff";
    for (const char c : service("b", 80)) {
        little += c;
        little += '\0';
        big += '\0';
        big += c;
    }
    CHECK(world.update("a", "\xef\xbb\xbf" + json) == "+a:80");
    CHECK(world.update("b", little) == "+b:80");
    CHECK(world.update("b", big) == "");
    CHECK(world.problems.empty());
    CHECK(world.update("c", "# caf\xe9\n" + service("c", 80)) == "+c:80");
}

TEST_CASE("what is no JSON may be YAML in flow style") {
    World world;
    CHECK(world.update("a.json",
                       "{\"apiVersion\": \"v1\", \"kind\": \"Service\", \"metadata\": {\"name\": \"a\"},"
                       " \"spec\": {\"ports\": [{\"port\": 80},]}}") == "+a:80");
    CHECK(world.update("b.json", "{\"apiVersion\": \"v1\", ") == "");
    REQUIRE(world.problems.size() == 1);
    CHECK_THAT(to_string(world.problems[0]), Catch::Contains("JSON: incomplete"));
}

TEST_CASE("objects of others are one line with their kinds, and their mistakes are none of ours") {
    World world;
    world.set.set_folder_problem("/m", "");
    std::string text = service("a", 80);
    for (int i = 0; i < 174; ++i)
        text += "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {a: 1, a: 2}}\n---\n";
    text += "{apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: a}, spec: {template: {}}}\n";
    CHECK(world.update("a", text) == "+a:80");
    REQUIRE(world.problems.size() == 1);
    CHECK(world.problems[0].warning);
    CHECK(
        to_string(world.problems[0]) ==
        "/m: 175 objects are of kinds that podferry does not use: 174 Deployment.apps, 1 Service.serving.knative.dev");
    CHECK(world.remove("a") == "-a");
    CHECK(world.problems.empty());
}

TEST_CASE("problems of a file and kinds of others are bounded") {
    World world;
    std::string text;
    for (int i = 0; i < 1000; ++i)
        text += "{apiVersion: v1, kind: Service, metadata: {name: s" + std::to_string(i) +
                "}, spec: {ports: []}}\n---\n" + "{apiVersion: v1, kind: Kind" + std::to_string(i) + "}\n---\n";
    const ManifestContent content = read_manifest("a", text);
    CHECK(content.problems.size() == 101);
    CHECK(to_string(content.problems.back()) == "a: and 900 more problems in this file");
    CHECK(content.others.size() == 101);
    std::string many = "a: b\n";
    for (int i = 0; i < 100'001; ++i)
        many += "---\n#\n";
    CHECK_THAT(read_manifest("a", many).problems.back().message, Catch::Contains("more than 100,000 documents"));
}

TEST_CASE("lists in lists, and lists of a kind") {
    World world;
    CHECK(world.update("a", "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: List\n  items:\n  - " +
                                service("a", 80)) == "+a:80");
    CHECK(
        world.update(
            "b", "{apiVersion: v1, kind: ServiceList, items: [{metadata: {name: b}, spec: {ports: [{port: 80}]}}]}") ==
        "+b:80");
    CHECK(world.update(
              "c", "{apiVersion: serving.knative.dev/v1, kind: ServiceList, items: [{metadata: {name: c}}]}") == "");
    CHECK(world.problems.size() == 1);
}

TEST_CASE("a List's items stand alone, with their own lines") {
    World world;
    const std::string list = "apiVersion: v1\nkind: List\nitems:\n- " +
                             service("a", 80).substr(0, service("a", 80).find('\n')) +
                             "\n- {apiVersion: v1, kind: Service, metadata: {name: b}, spec: {ports: []}}\n";
    CHECK(world.update("l.yaml", list) == "+a:80");
    REQUIRE(world.problems.size() == 1);
    CHECK(to_string(world.problems[0]) ==
          "l.yaml:5: Service default/b: spec.ports: missing; a Service needs at least one port");
}
