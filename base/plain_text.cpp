#include "base/plain_text.hpp"

#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <utility>

namespace base {
namespace {

/// One character of a UTF-8 text, or one byte that is none.
struct Character {
    std::uint32_t code = 0;
    std::size_t size = 1;
    bool valid = false;
};

/// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
Character first_of(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned lead = byte(0);
    if (lead < 0x80)
        return {lead, 1, true};
    const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < size)
        return {lead, 1, false};
    std::uint32_t code = lead & (0xffU >> (size + 1));
    for (std::size_t i = 1; i < size; ++i) {
        if ((byte(i) & 0xc0U) != 0x80)
            return {lead, 1, false};
        code = (code << 6) | (byte(i) & 0x3fU);
    }
    static constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < least[size] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return {lead, 1, false};
    return {code, size, true};
}

/// What a terminal or a reader of lines could read as a command.
bool is_control(std::uint32_t code) {
    static constexpr std::initializer_list<std::pair<std::uint32_t, std::uint32_t>> ranges = {
        {0, 0x1f},        {0x7f, 0x9f}, {0x61c, 0x61c},  // Arabic letter mark
        {0x200e, 0x200f},                                // left-to-right and right-to-left marks
        {0x2028, 0x202e},                                // line and paragraph separator, embeddings, overrides
        {0x2066, 0x2069}};                               // isolates
    for (const auto& [first, last] : ranges)
        if (code >= first && code <= last)
            return true;
    return false;
}

std::string escape(const char* format, unsigned code) {
    char text[16];
    std::snprintf(text, sizeof(text), format, code);
    return text;
}

std::string escaped(const Character& character) {
    switch (character.code) {
        case '\n':
            return "\\n";
        case '\r':
            return "\\r";
        case '\t':
            return "\\t";
        default:
            return escape(character.valid && character.code > 0x7f ? "\\u%04x" : "\\x%02x", character.code);
    }
}

template <class Escape>
std::string each_character(std::string_view text, Escape escape_one) {
    std::string result;
    result.reserve(text.size());
    while (!text.empty()) {
        const Character character = first_of(text);
        if (character.valid && !is_control(character.code))
            result += text.substr(0, character.size);
        else
            result += escape_one(character);
        text.remove_prefix(character.size);
    }
    return result;
}

}  // namespace

std::string printable(std::string_view text) {
    return each_character(text, escaped);
}

std::string printable_lines(std::string_view text) {
    return each_character(text, [](const Character& c) { return c.valid && c.code == '\n' ? "\n" : escaped(c); });
}

std::string printable_json(std::string_view json) {
    return each_character(json, [](const Character& c) {
        const bool between_values = c.code == '\n' || c.code == '\r' || c.code == '\t';  // inside, they are escaped
        return between_values ? std::string(1, static_cast<char>(c.code))
                              : escape("\\u%04x", c.valid ? c.code : 0xfffd);
    });
}

std::string_view cut(std::string_view text, std::size_t most) {
    if (text.size() <= most)
        return text;
    std::size_t size = most;
    while (size > 0 && most - size < 3 && (static_cast<unsigned char>(text[size]) & 0xc0U) == 0x80)
        --size;
    const bool inside = (static_cast<unsigned char>(text[size]) & 0xc0U) == 0x80;
    return text.substr(0, inside ? most : size);
}

std::string shortened(std::string_view text, std::size_t most) {
    static constexpr std::string_view ellipsis = "…";
    if (text.size() <= most)
        return std::string(text);
    return std::string(cut(text, most - ellipsis.size())) + std::string(ellipsis);
}

std::string quoted(std::string_view text) {
    constexpr std::size_t most = 80;
    return "'" + shortened(text, most) + "'";
}

}  // namespace base
