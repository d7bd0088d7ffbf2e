// Which version of an object is in force, over files and time.
#include "api/manifest_set.hpp"

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
        const Transaction transaction = set.take(false);
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
    CHECK(world.set.take_stale() == std::set<std::string>{"b"});
    CHECK(world.update("b", service("x", 90)) == "+x:90");
    CHECK(world.problems.empty());
}

TEST_CASE("an object that moves from file to file is never removed when both are read together") {
    World world;
    world.update("a", service("x", 80));
    world.set.update("b", read_manifest("b", service("x", 80)));
    world.set.update("a", read_manifest("a", service("other", 80)));
    for (const std::string& file : world.set.take_stale())
        world.set.update(file, read_manifest(file, service("x", 80)));
    CHECK(world.changes() == "+other:80 +x:80");
}

TEST_CASE("twice in one file is a mistake of the second") {
    World world;
    CHECK(world.update("a", service("x", 80) + service("x", 81)) == "+x:80");
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
