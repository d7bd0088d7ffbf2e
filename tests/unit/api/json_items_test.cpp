// JSON is read as it comes, object by object, without being held as a tree.
#include "api/wire/json_items.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>

using namespace api;

namespace {

struct Seen {
    std::vector<std::string> items;  // "LINE LIST'S KIND, TEXT"; of a list "LINE list TEXT"
    std::vector<std::string> mistakes;
    std::string error;
    long line = 0;  // of the error
};

Seen see(const std::string& text, JsonItems::Options options = {}) {
    const auto line_at = [&](std::size_t place) {
        return 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(place), '\n');
    };
    const auto read = [&](std::size_t piece) {
        Seen seen;
        JsonItems items(options, [&](JsonItem& item) {
            const bool list = item.kind == JsonItem::Kind::list;
            seen.items.push_back(std::to_string(line_at(item.begin)) + " " + (list ? "list" : item.list_kind) + " " +
                                 boost::json::serialize(item.value));
            if (!list)
                for (const Mistake& mistake : find_duplicates(item, text.substr(item.begin, item.end - item.begin)))
                    seen.mistakes.push_back(to_string(mistake.path) + ": " + mistake.message);
        });
        for (std::size_t at = 0; at < text.size(); at += piece)
            items.feed(std::string_view(text).substr(at, piece));
        const JsonItemsError error = items.finish();
        seen.error = error.message;
        seen.line = line_at(error.at);
        return seen;
    };
    Seen whole = read(text.size());
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}}) {
        const Seen pieces = read(piece);
        CHECK(pieces.items == whole.items);
        CHECK(pieces.mistakes == whole.mistakes);
        CHECK(pieces.error == whole.error);
        CHECK(pieces.line == whole.line);
    }
    return whole;
}

}  // namespace

TEST_CASE("objects one after the other, and items of lists, with their lines") {
    const Seen seen =
        see("{\"a\":1}\n{\"kind\":\"List\",\n\"items\":[\n{\"b\":\"]}\\\"\"},\n{\"c\":[{}]}]}\n{\"d\":2}");
    CHECK(seen.error.empty());
    CHECK(seen.items == std::vector<std::string>{R"(1  {"a":1})", R"(4 List {"b":"]}\""})", R"(5 List {"c":[{}]})",
                                                 R"(2 list {"kind":"List","items":[]})", R"(6  {"d":2})"});
}

TEST_CASE("a list tells its items what it has said of itself before them") {
    CHECK(see(R"({"kind":"ServiceList","items":[{"a":1}]})").items ==
          std::vector<std::string>{R"(1 ServiceList {"a":1})", R"(1 list {"kind":"ServiceList","items":[]})"});
    CHECK(see(R"({"items":[{"a":1}],"kind":"List"})").items ==
          std::vector<std::string>{R"(1  {"a":1})", R"(1 list {"items":[],"kind":"List"})"});
    // Only its own members are, wherever brackets and words stand.
    CHECK(
        see(R"({"[":"[","a":{"kind":"No","items":[{"b":1}]},"b":["items",[]],"items":null})").items ==
        std::vector<std::string>{R"(1  {"[":"[","a":{"kind":"No","items":[{"b":1}]},"b":["items",[]],"items":null})"});
    CHECK(see(R"({"items":[{"items":[{"a":1}]}]})").items ==
          std::vector<std::string>{R"(1  {"items":[{"a":1}]})", R"(1 list {"items":[]})"});
}

TEST_CASE("what nobody reads of a server's objects is left out, wherever it is") {
    JsonItems::Options reduced;
    reduced.reduced = true;
    CHECK(see(R"({"items":[{"managedFields":[{"items":[{}]},{"a":{}}],"b":[{"targetRef":{"c":1},"d":2}],"e":3}]})",
              reduced)
              .items == std::vector<std::string>{R"(1  {"b":[{"d":2}],"e":3})", R"(1 list {"items":[]})"});
    CHECK(see(R"({"managedFields":7,"targetRef":"x","a":null})", reduced).items ==
          std::vector<std::string>{R"(1  {"a":null})"});
}

TEST_CASE("what is longer than its limit is given up") {
    const std::string long_text(std::size_t{2} << 20, 'x');
    const JsonItems::Options options{false, std::size_t{1} << 20, std::size_t{1} << 20};
    CHECK(see("{\"items\":[{\"a\":1},{\"a\":2}]}", options).error.empty());
    for (const std::string& text : {"{\"items\":[{\"a\":\"" + long_text + "\"}]}", "{\"a\":\"" + long_text + "\"}"}) {
        JsonItems items(options, [](JsonItem&) {});
        items.feed(text);
        CHECK(items.finish().message == "an object has no end within 1 MiB");
    }
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
        {"{\"a\":\n\nnope}", 3, "syntax"},
        {"{\"kind\":\"List\",\n\"items\":[{},]}", 2, "'{'"},
        {"{\"kind\":\"List\",\n\"items\":[{}]\n", 1, "incomplete"},
        {"{} x", 1, "'{'"},
        {"{\"a\":\"\x01\"}", 1, "syntax"},
    }));
    CAPTURE(row.text);
    const Seen seen = see(row.text);
    CHECK_THAT(seen.error, Catch::Contains(row.words));
    CHECK(seen.line == row.line);
}
