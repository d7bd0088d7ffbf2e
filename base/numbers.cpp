#include "base/numbers.hpp"

#include <cstdio>

namespace base {

std::string hex_digits(std::uint32_t number) {
    char digits[9];
    std::snprintf(digits, sizeof(digits), "%08x", number);
    return digits;
}

std::optional<std::uint32_t> parse_hexadecimal(std::string_view text) {
    if (!text.starts_with("0x"))
        return std::nullopt;
    return parse_number<std::uint32_t>(text.substr(2), 16);
}

}  // namespace base
