// Numbers and their texts. Pure.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace base {

/// Eight digits: "50460001".
std::string hex_digits(std::uint32_t number);

/// "0x50460001"
inline std::string hexadecimal(std::uint32_t number) {
    return "0x" + hex_digits(number);
}

/// "0x1a", of any number of digits that 32 bits hold; nullopt for any other text.
std::optional<std::uint32_t> parse_hexadecimal(std::string_view text);

/// The whole word as a number of that base; nullopt when it is none.
template <class Number>
std::optional<Number> parse_number(std::string_view word, int base = 10) {
    Number number{};
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number, base);
    if (error != std::errc{} || end != word.data() + word.size())
        return std::nullopt;
    return number;
}

}  // namespace base
