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

TEST_CASE("what would hang or fill the memory is refused, with its line") {
    struct Row {
        std::string yaml;
        const char* message;
        int line;
    };
    std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 8; ++i) {
        const std::string last = "*a" + std::to_string(i - 1);
        bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
        for (int j = 0; j < 9; ++j)
            bomb += ", " + last;
        bomb += "]\n";
    }
    const auto row = GENERATE_COPY(values<Row>({
        {",r\x01\x02", "belongs to no document", 1},  // yaml-cpp: a document without end
        {"a: 1\n---\n, b", "belongs to no document", 3},
        {bomb, "more than 2,000,000 values", 7},
        {std::string(100, '[') + std::string(100, ']'), "nested deeper than 64 levels", 1},
        {"a: 1\n? [b]\n: 2\n", "a key that is not a text", 2},
        {"a: &x [*x]", "an alias inside of what it stands for", 1},
    }));
    CAPTURE(row.yaml.substr(0, 60));
    const auto documents = parse_yaml(row.yaml);
    REQUIRE_FALSE(documents);
    CHECK_THAT(documents.error().message, Catch::Contains(row.message));
    CHECK(documents.error().line == row.line);
}
