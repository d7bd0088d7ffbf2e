// YAML as Kubernetes reads it: types of plain scalars, documents, lines.
#include "api/yaml_document.hpp"

#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>

using namespace api;

namespace {

std::string json_of(const std::string& yaml) {
    const auto documents = parse_yaml(yaml);
    REQUIRE(documents);
    REQUIRE(documents->size() == 1);
    return boost::json::serialize(documents->front().value);
}

}  // namespace

TEST_CASE("plain scalars have the types of sigs.k8s.io/yaml") {
    struct Row {
        const char* yaml;
        const char* json;
    };
    const auto row = GENERATE(values<Row>({
        {"a: yes", R"({"a":true})"},
        {"a: Off", R"({"a":false})"},
        {"a: 'yes'", R"({"a":"yes"})"},
        {"a: 80", R"({"a":80})"},
        {"a: '80'", R"({"a":"80"})"},
        {"a: 0x1F", R"({"a":31})"},
        {"a: 0o17", R"({"a":15})"},
        {"a: 017", R"({"a":15})"},
        {"a: +5", R"({"a":5})"},
        {"a: 1.5", R"({"a":1.5E0})"},
        {"a: 10.1.0.5", R"({"a":"10.1.0.5"})"},
        {"a: ~", R"({"a":null})"},
        {"a:", R"({"a":null})"},
        {"a: y", R"({"a":"y"})"},
        {"a: 1_000", R"({"a":"1_000"})"},
        {"a: [1, b]", R"({"a":[1,"b"]})"},
        {"a: &x {b: 1}\nc: *x", R"({"a":{"b":1},"c":{"b":1}})"},
        {"a: 2026-01-01", R"({"a":"2026-01-01"})"},
        {"a: |\n  text\n", R"({"a":"text\n"})"},
    }));
    CAPTURE(row.yaml);
    CHECK(json_of(row.yaml) == row.json);
}

TEST_CASE("documents keep their lines, empty ones are left out") {
    const auto documents = parse_yaml("---\n---\na: 1\n---\n# nothing\n---\nb:\n  c:\n  - 7\n  - 8\n");
    REQUIRE(documents);
    REQUIRE(documents->size() == 2);
    const YamlDocument& second = documents->at(1);
    CHECK(second.line == 7);
    CHECK(second.line_of({"b", "c", std::size_t{1}}) == 10);
    CHECK(second.line_of({"b", "nothing"}) == 7);
}

TEST_CASE("duplicate keys are noted where they stand") {
    const auto documents = parse_yaml("a:\n  b: 1\n  b: 2\n");
    REQUIRE(documents);
    REQUIRE(documents->front().mistakes.size() == 1);
    CHECK(to_string(documents->front().mistakes[0].path) == "a.b");
    CHECK(documents->front().line_of(documents->front().mistakes[0].path) == 3);
}

TEST_CASE("what is not YAML names a line") {
    const auto documents = parse_yaml("a: 1\nb: [1, 2\n");
    REQUIRE_FALSE(documents);
    CHECK(documents.error().line >= 2);
}
