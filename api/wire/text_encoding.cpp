#include "api/wire/text_encoding.hpp"

#include <cstddef>
#include <cstdint>

namespace api {
namespace {

constexpr char32_t replacement = 0xfffd;

void append(std::string& text, char32_t code) {
    const auto byte = [&](char32_t value) { text += static_cast<char>(static_cast<unsigned char>(value)); };
    if (code < 0x80) {
        byte(code);
    } else if (code < 0x800) {
        byte(0xc0 | (code >> 6));
        byte(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        byte(0xe0 | (code >> 12));
        byte(0x80 | ((code >> 6) & 0x3f));
        byte(0x80 | (code & 0x3f));
    } else {
        byte(0xf0 | (code >> 18));
        byte(0x80 | ((code >> 12) & 0x3f));
        byte(0x80 | ((code >> 6) & 0x3f));
        byte(0x80 | (code & 0x3f));
    }
}

bool is_surrogate(char32_t code) {
    return code >= 0xd800 && code < 0xe000;
}

std::string from_utf16(std::string_view bytes, bool big_endian) {
    std::string text;
    text.reserve(bytes.size());
    const auto unit = [&](std::size_t at) {
        const auto one = static_cast<unsigned char>(bytes[at]);
        const auto other = static_cast<unsigned char>(bytes[at + 1]);
        return static_cast<char32_t>(big_endian ? one << 8 | other : other << 8 | one);
    };
    std::size_t at = 0;
    for (; at + 1 < bytes.size(); at += 2) {
        char32_t code = unit(at);
        if (code >= 0xd800 && code < 0xdc00 && at + 3 < bytes.size()) {
            const char32_t low = unit(at + 2);
            if (low >= 0xdc00 && low < 0xe000) {
                code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                at += 2;
            }
        }
        append(text, is_surrogate(code) ? replacement : code);
    }
    if (at < bytes.size())
        append(text, replacement);
    return text;
}

/// How long the character at `at` is; 0 when it is none (too long, a surrogate, cut off, beyond U+10FFFF).
std::size_t character(std::string_view bytes, std::size_t at) {
    const auto lead = static_cast<unsigned char>(bytes[at]);
    if (lead < 0x80)
        return 1;
    const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || at + size > bytes.size())
        return 0;
    char32_t code = lead & (0xffU >> (size + 1));
    for (std::size_t i = 1; i < size; ++i) {
        const auto next = static_cast<unsigned char>(bytes[at + i]);
        if ((next & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (next & 0x3f);
    }
    const bool too_long = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
    return too_long || code > 0x10ffff || is_surrogate(code) ? 0 : size;
}

/// Up to where it is UTF-8.
std::size_t good_part(std::string_view bytes, std::size_t from) {
    while (from < bytes.size()) {
        const std::size_t size = character(bytes, from);
        if (size == 0)
            break;
        from += size;
    }
    return from;
}

}  // namespace

std::string_view as_utf8(std::string_view bytes, std::string& storage) {
    if (bytes.starts_with("\xff\xfe") || bytes.starts_with("\xfe\xff"))
        return storage = from_utf16(bytes.substr(2), bytes[0] == '\xfe');
    if (bytes.starts_with("\xef\xbb\xbf"))
        bytes.remove_prefix(3);
    std::size_t at = good_part(bytes, 0);
    if (at == bytes.size())
        return bytes;
    storage = bytes.substr(0, at);
    while (at < bytes.size()) {
        append(storage, replacement);
        const std::size_t end = good_part(bytes, at + 1);
        storage += bytes.substr(at + 1, end - at - 1);
        at = end;
    }
    return storage;
}

}  // namespace api
