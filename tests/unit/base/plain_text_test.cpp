// Texts of others, as they are shown.
#include "base/plain_text.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <catch2/catch.hpp>

using namespace base;
using namespace std::string_literals;

TEST_CASE("a text of others is one line that a terminal only shows") {
    struct Row {
        std::string text;
        const char* shown;
        const char* json;  // the same in a JSON string
    };
    const auto row = GENERATE(
        Row{"plain, with spaces and \"quotes\"", "plain, with spaces and \"quotes\"", nullptr},
        Row{"Grüße, 世界 🙂", "Grüße, 世界 🙂", nullptr},
        Row{"rr\n2026-11-28 error forged", "rr\\n2026-11-28 error forged", nullptr}, Row{"a\r\tb", "a\\r\\tb", nullptr},
        Row{"\x1b[2J\x1b]0;title\x07", "\\x1b[2J\\x1b]0;title\\x07", nullptr},
        Row{"nul\0inside"s, "nul\\x00inside", nullptr}, Row{"del\x7f", "del\\x7f", "\"del\\u007f\""},
        Row{"csi\xc2\x9b"
            "31m",
            "csi\\u009b31m", "\"csi\\u009b31m\""},
        Row{"nel\xc2\x85", "nel\\u0085", "\"nel\\u0085\""},
        Row{"line\u2028paragraph\u2029", "line\\u2028paragraph\\u2029", "\"line\\u2028paragraph\\u2029\""},
        Row{"\u202egnp.exe", "\\u202egnp.exe", "\"\\u202egnp.exe\""},
        Row{"\u2066a\u2069\u200f\u061c", "\\u2066a\\u2069\\u200f\\u061c", "\"\\u2066a\\u2069\\u200f\\u061c\""},
        Row{"bad\xff", "bad\\xff", "\"bad\\ufffd\""}, Row{"half\xe4\xb8", "half\\xe4\\xb8", "\"half\\ufffd\\ufffd\""},
        Row{"overlong\xc0\xaf", "overlong\\xc0\\xaf", "\"overlong\\ufffd\\ufffd\""},
        Row{"surrogate\xed\xa0\x80", "surrogate\\xed\\xa0\\x80", nullptr},
        Row{"beyond\xf4\x90\x80\x80", "beyond\\xf4\\x90\\x80\\x80", nullptr});
    CAPTURE(row.shown);
    CHECK(base::printable(row.text) == row.shown);
    CHECK(base::printable(base::printable(row.text)) == row.shown);
    const std::string json = base::printable_json(boost::json::serialize(boost::json::string(row.text)));
    if (row.json != nullptr) {
        CHECK(json == row.json);
    }
    CHECK(base::printable(json) == json);
    if (row.text.find_first_of("\xff\xc0\xed\xf4") == std::string::npos && row.text != "half\xe4\xb8") {
        CHECK(boost::json::parse(json).as_string() == row.text);
    }
}

TEST_CASE("line breaks stay where a text has lines") {
    CHECK(base::printable_lines("one\ntwo\x1b[2J\n") == "one\ntwo\\x1b[2J\n");
    CHECK(base::printable_json("{\n  \"a\": \"\x7f\"\n}") == "{\n  \"a\": \"\\u007f\"\n}");
}

TEST_CASE("a text is cut between characters") {
    struct Row {
        const char* text;
        std::size_t most;
        const char* cut;
        const char* shortened;
    };
    const auto row = GENERATE(Row{"short", 5, "short", "short"}, Row{"longer", 5, "longe", "lo…"}, Row{"", 3, "", ""},
                              Row{"äöü", 5, "äö", "ä…"}, Row{"世界世界", 7, "世界", "世…"}, Row{"🙂🙂", 7, "🙂", "🙂…"},
                              Row{"🙂🙂", 3, "", "…"});
    CAPTURE(row.text, row.most);
    CHECK(base::cut(row.text, row.most) == row.cut);
    CHECK(base::shortened(row.text, row.most) == row.shortened);
    CHECK(base::shortened(row.text, row.most).size() <= row.most);
}

TEST_CASE("a text that is no UTF-8 is cut all the same") {
    CHECK(base::cut(std::string(100, '\x80'), 10).size() == 10);
}

TEST_CASE("a quoted text is short") {
    CHECK(base::quoted("rr") == "'rr'");
    CHECK(base::quoted(std::string(1'000'000, 'x')).size() == 82);
}
