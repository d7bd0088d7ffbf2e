// Every bad manifest and configuration of tests/bad_input gives its message, and harms nothing else.
#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>

#include "api/folder/manifest_set.hpp"
#include "build.hpp"
#include "proxy/engine/engine_problems.hpp"

using namespace proxy;

namespace {

std::string read(const std::string& name) {
    std::ifstream file(std::string(BAD_INPUT) + "/" + name, std::ios::binary);
    REQUIRE(file);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// "FILE: part of the message", a line each.
std::vector<std::pair<std::string, std::string>> expectations(const char* list) {
    std::vector<std::pair<std::string, std::string>> rows;
    std::ifstream file(std::string(BAD_INPUT) + "/" + list);
    for (std::string line; std::getline(file, line);)
        rows.emplace_back(line.substr(0, line.find(": ")), line.substr(line.find(": ") + 2));
    return rows;
}

const char* const good =
    "{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop},"
    " spec: {clusterIP: 10.96.0.5, ports: [{port: 80}]}}";

struct World {
    api::ManifestSet manifests;
    Engine engine{config(), {}, {}};

    static Config config() {
        Config config = default_config();
        config.service_cluster_ip_range = {*base::parse_prefix("10.96.0.0/16")};
        return config;
    }
    void update(const std::string& file, const std::string& text) {
        manifests.update(file, api::read_manifest(file, text));
        engine.apply(manifests.exchange_changes(false));
        engine.plan_dirty({});
    }
    bool web_is_served() const {
        return engine.desired().find({build::address("10.96.0.5"), netlink::Protocol::tcp, 80}) != nullptr;
    }
};

}  // namespace

TEST_CASE("each bad manifest gives its message, with file and line, and nothing else suffers") {
    const auto rows = expectations("expected.txt");
    REQUIRE(rows.size() >= 50);
    for (const auto& [file, expected] : rows) {
        CAPTURE(file, expected);
        World world;
        world.update("a-good.yaml", good);
        world.update(file, read(file));
        std::string messages;
        for (const api::Problem& problem : problems_of(world.engine))
            messages += api::to_string(problem) + "\n";
        CHECK_THAT(messages, Catch::Contains(expected));
        CHECK_THAT(messages, Catch::StartsWith(file + ":"));
        CHECK(world.web_is_served());
        CHECK_FALSE(world.engine.store().services().contains(api::ObjectName{"shop", "bad"}));
    }
}

TEST_CASE("a bad version leaves the last good one in force, by object and by file") {
    for (const auto& [file, expected] : expectations("expected.txt")) {
        // A file that says something else altogether replaces what was there.
        if (file.starts_with("clash") || file == "unknown-kind.yaml" || file.find("no-kind") == 0)
            continue;
        CAPTURE(file);
        const std::string text = read(file);
        if (text.find("name: bad") == std::string::npos || text.find("kind: Service") == std::string::npos ||
            file == "wrong-version.yaml" || file.starts_with("bad-namespace"))
            continue;
        World world;
        world.update(file,
                     "{apiVersion: v1, kind: Service, metadata: {name: bad, namespace: shop},"
                     " spec: {clusterIP: 10.96.7.7, ports: [{port: 80}]}}");
        world.update(file, text);
        CHECK(world.engine.desired().find({build::address("10.96.7.7"), netlink::Protocol::tcp, 80}) != nullptr);
    }
}

TEST_CASE("each bad configuration gives its message, with file, line and column") {
    const auto rows = expectations("expected_conf.txt");
    REQUIRE(rows.size() >= 10);
    for (const auto& [file, expected] : rows) {
        CAPTURE(file);
        const auto config = parse_config(read(file), file);
        REQUIRE_FALSE(config);
        CHECK_THAT(config.error(), Catch::StartsWith(file + ":") && Catch::Contains(expected));
    }
}
