// YAML as Kubernetes reads it: types of plain scalars, documents, lines.
#include "api/wire/yaml_document.hpp"

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
        {"a: y", R"({"a":true})"},
        {"a: N", R"({"a":false})"},
        {"a: 1_000", R"({"a":1000})"},
        {"a: 80.0", R"({"a":8E1})"},
        {"a: 8e1", R"({"a":8E1})"},
        {"a: .5", R"({"a":5E-1})"},
        {"a: 08", R"({"a":8E0})"},
        {"a: 0b11", R"({"a":3})"},
        {"a: -0b11", R"({"a":-3})"},
        {"a: -0x10", R"({"a":-16})"},
        {"a: 9223372036854775808", R"({"a":9223372036854775808})"},
        {"a: 1e999", R"({"a":"1e999"})"},
        {"a: 1:30", R"({"a":"1:30"})"},
        {"a: _1", R"({"a":"_1"})"},
        {"a: -x", R"({"a":"-x"})"},
        {"a: !!str 80", R"({"a":"80"})"},
        {"a: !!int '80'", R"({"a":80})"},
        {"a: !!float 80", R"({"a":80})"},
        {"a: ! '80'", R"({"a":"80"})"},
        {"a: !own 80", R"({"a":"80"})"},
        {"80: a", R"({"80":"a"})"},
        {"8_0: a", R"({"80":"a"})"},
        {"yes: a", R"({"true":"a"})"},
        {"1.5: a", R"({"1.5":"a"})"},
        {"'<<': a", R"({"<<":"a"})"},
        {"a: <<", R"({"a":"<<"})"},
        {"a: '<<'", R"({"a":"<<"})"},
        {"{\"a\":\"\\/\"}", R"({"a":"/"})"},
        {"a: \"\\u00e9\"", "{\"a\":\"\xc3\xa9\"}"},
        {"? a\n: b", R"({"a":"b"})"},
        {"a: 1\n...\nb: 2", R"({"a":1})"},
        {"a: |2\n  x\n", R"({"a":"x\n"})"},
        {"a: >-\n  x\n  y\n", R"({"a":"x y"})"},
        {"a: 1\r\nb: |\r\n  x\r\n", R"({"a":1,"b":"x\n"})"},
        {"a: [1, b]", R"({"a":[1,"b"]})"},
        {"a: &x {b: 1}\nc: *x", R"({"a":{"b":1},"c":{"b":1}})"},
        {"a: 2026-01-01", R"({"a":"2026-01-01"})"},
        {"a: |\n  text\n", R"({"a":"text\n"})"},
    }));
    CAPTURE(row.yaml);
    CHECK(json_of(row.yaml) == row.json);
}

TEST_CASE("what is merged by << is as kubectl reads it: the later one wins") {
    struct Row {
        const char* yaml;
        const char* json;
    };
    const auto row = GENERATE(values<Row>({
        {"m: &m {a: 1, b: 2}\nc:\n  <<: *m\n  b: 3", R"({"m":{"a":1,"b":2},"c":{"a":1,"b":3}})"},
        {"m: &m {a: 1, b: 2}\nc:\n  b: 3\n  <<: *m", R"({"m":{"a":1,"b":2},"c":{"b":2,"a":1}})"},
        {"m: &m {a: 1}\nc: {!!merge <<: *m}", R"({"m":{"a":1},"c":{"a":1}})"},
        {"c: {<<: {a: 1}, b: 2}", R"({"c":{"a":1,"b":2}})"},
        {"m: &m {a: 1}\no: &o {a: 2, b: 2}\nc: {<<: [*m, *o]}", R"({"m":{"a":1},"o":{"a":2,"b":2},"c":{"a":1,"b":2}})"},
        {"m: &m {a: {x: 1}}\nc: {<<: *m, d: 4}", R"({"m":{"a":{"x":1}},"c":{"a":{"x":1},"d":4}})"},
    }));
    CAPTURE(row.yaml);
    const auto documents = parse_yaml(row.yaml);
    REQUIRE(documents);
    CHECK(documents->front().mistakes.empty());
    CHECK(json_of(row.yaml) == row.json);
}

TEST_CASE("what came by << has the line of <<, what overrides it its own") {
    const auto documents = parse_yaml("m: &m {a: 1, b: [1, 2]}\nc:\n  <<: *m\n  a: 3\n");
    REQUIRE(documents);
    CHECK(documents->front().line_of({"c", "b", std::size_t{1}}) == 3);
    CHECK(documents->front().line_of({"c", "a"}) == 4);
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

TEST_CASE("a document of too many values is refused") {
    std::string many = "[";
    for (int i = 0; i < 4'000'001; ++i)
        many += "a,";
    const auto documents = parse_yaml(many);
    REQUIRE_FALSE(documents);
    CHECK_THAT(documents.error().message, Catch::Contains("more than 4,000,000 values"));
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
    std::string chain = "a0: &a0 [x]\n";
    for (int i = 1; i < 80; ++i)
        chain += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + "]\n";
    const auto row = GENERATE_COPY(values<Row>({
        {",r", "did not find expected node content", 1},
        {"a: 1\n\x01: 2", "control characters are not allowed", 2},
        {"a: 1\n---\n, b", "did not find expected node content", 3},
        {bomb, "too much of it is aliases", 4},
        {chain, "nested deeper than 64 levels", 64},
        {std::string(100, '[') + std::string(100, ']'), "nested deeper than 64 levels", 1},
        {"a: 1\n? [b]\n: 2\n", "a key that is a list or a mapping", 2},
        {"a: 1\n~: 2\n", "a key that is null", 2},
        {"a: &x [*x]", "an alias inside of what it stands for", 1},
        {"a: 1\nb: *x", "*x stands for nothing", 2},
        {"a: &x [1]\nb: {<<: *x}", "<< takes a mapping", 2},
        {"a: &x [{b: 1}]\nb: {<<: *x}", "<< takes a mapping", 2},
        {"a: .inf", "no number that JSON has", 1},
        {"a: !!int x", "is not what its tag !!int says", 1},
        {"a: 1\n%b: 2", "while scanning a directive", 2},
        {"a:\n\t- b", "found character that cannot start any token", 2},
    }));
    CAPTURE(row.yaml.substr(0, 60));
    const auto documents = parse_yaml(row.yaml);
    REQUIRE_FALSE(documents);
    CHECK_THAT(documents.error().message, Catch::Contains(row.message));
    CHECK(documents.error().line == row.line);
}
