// Texts of others on their way to people, and files in whatever encoding: nothing in them speaks to a terminal, nothing
// is longer than it may be, and JSON stays the same JSON.
#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <cstdlib>

#include "api/wire/text_encoding.hpp"
#include "base/plain_text.hpp"

namespace {

void expect(bool good, const char* what) {
    if (good)
        return;
    std::fprintf(stderr, "%s\n", what);
    std::abort();
}

bool is_plain(std::string_view text, bool lines) {
    return std::all_of(text.begin(), text.end(), [&](char c) {
        return (static_cast<unsigned char>(c) >= ' ' && c != '\x7f') || (lines && c == '\n');
    });
}

void show(std::string_view text) {
    const std::string shown = base::printable(text);
    expect(is_plain(shown, false), "printable: a control character");
    expect(base::printable(shown) == shown, "printable: not plain yet");
    expect(is_plain(base::printable_lines(text), true), "printable_lines: a control character");
    expect(base::quoted(text).size() <= 82, "quoted: too long");
    for (const std::size_t most : {3, 80, 1024}) {
        expect(base::shortened(text, most).size() <= most, "shortened: too long");
        const std::string_view part = base::cut(text, most);
        expect(part.size() <= most && text.starts_with(part), "cut: not a part");
    }
}

void show_json(std::string_view text) {
    boost::system::error_code error;
    const auto value = boost::json::parse({text.data(), text.size()}, error);
    if (error)
        return;
    const std::string written = boost::json::serialize(value);
    const std::string plain = base::printable_json(written);
    expect(is_plain(plain, false), "printable_json: a control character");
    // Written again, since a number may be none (0e999) that is equal to nothing.
    const auto as_was = boost::json::parse(written, error);
    expect(error || boost::json::serialize(boost::json::parse(plain)) == boost::json::serialize(as_was),
           "printable_json: another value");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    show(bytes);
    show_json(bytes);
    std::string storage;
    const std::string_view text = api::as_utf8(bytes, storage);
    std::string none;
    expect(api::as_utf8(text, none) == text || text.starts_with("\xef\xbb\xbf"), "as_utf8: no UTF-8 yet");
    return 0;
}
