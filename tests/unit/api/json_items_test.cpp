// A file of JSON is cut into objects without being held as a tree.
#include "api/folder/json_items.hpp"

#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>

using namespace api;

namespace {

struct Seen {
    std::vector<std::string> items;  // "LINE HINT TEXT"
    std::vector<std::string> mistakes;
    JsonError error;
};

Seen see(const std::string& text) {
    Seen seen;
    seen.error = for_each_json_item(text, [&](JsonItem& item) {
        seen.items.push_back(std::to_string(item.line) + " " + item.kind_hint + " " +
                             boost::json::serialize(item.value));
        for (const Mistake& mistake : item.mistakes)
            seen.mistakes.push_back(to_string(mistake.path) + ": " + mistake.message);
    });
    return seen;
}

}  // namespace

TEST_CASE("objects one after the other, and items of lists, with their lines") {
    const Seen seen =
        see("{\"a\":1}\n{\"kind\":\"List\",\n\"items\":[\n{\"b\":\"]}\\\"\"},\n{\"c\":[{}]}]}\n{\"d\":2}");
    CHECK(seen.error.message.empty());
    CHECK(seen.items ==
          std::vector<std::string>{R"(1  {"a":1})", R"(4  {"b":"]}\""})", R"(5  {"c":[{}]})", R"(6  {"d":2})"});
}

TEST_CASE("a typed list tells its items their kind when it is named first") {
    CHECK(see(R"({"kind":"ServiceList","items":[{"a":1}]})").items == std::vector<std::string>{R"(1 Service {"a":1})"});
    CHECK(see(R"({"items":[{"a":1}],"kind":"List"})").items == std::vector<std::string>{R"(1  {"a":1})"});
}

TEST_CASE("duplicate members are found by their path") {
    CHECK(see(R"({"a":{"b":1,"c":2,"b":3}})").mistakes == std::vector<std::string>{"a.b: duplicate key"});
    CHECK(see(R"({"kind":"List","items":[{"x":[{"y":1},{"y":1,"y":2}]}]})").mistakes ==
          std::vector<std::string>{"x[1].y: duplicate key"});
    CHECK(see(R"({"a:b":"c:d","e":{"f":"\":"}})").mistakes.empty());
}

TEST_CASE("what is not whole is an error with its line") {
    struct Row {
        const char* text;
        int line;
        const char* words;
    };
    const auto row = GENERATE(values<Row>({
        {"{\"a\":", 1, "incomplete"},
        {"{\"a\":{", 1, "incomplete"},
        {"\n{\"kind\":\"List\",\"items\":[{},", 2, "incomplete"},
        {"{\"kind\":\"List\",\"items\":[{}\n{}]}", 2, "',' or ']'"},
        {"{\"kind\":\"List\",\"items\":[7]}", 1, "'{'"},
        {"[1]", 1, "'{'"},
        {"{\"a\":\n\nnope}", 3, "JSON"},
        {"{\"items\":[{}]}", 1, "only a List has items"},
        {"{\"a\":\"\x01\"}", 1, "JSON"},
    }));
    CAPTURE(row.text);
    const Seen seen = see(row.text);
    CHECK_THAT(seen.error.message, Catch::Contains(row.words));
    CHECK(seen.error.line == row.line);
}
