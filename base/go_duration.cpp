#include "base/go_duration.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace base {
namespace {

/// The two letters of micro that Go reads are in UTF-8.
constexpr std::array<std::pair<std::string_view, double>, 8> units = {{{"ns", 1e0},
                                                                       {"us", 1e3},
                                                                       {"\u00b5s", 1e3},
                                                                       {"\u03bcs", 1e3},
                                                                       {"ms", 1e6},
                                                                       {"s", 1e9},
                                                                       {"m", 60e9},
                                                                       {"h", 3600e9}}};

/// Takes one "1.5h" from the front, in nanoseconds.
std::optional<double> parse_part(std::string_view& text) {
    const auto digits = std::min(text.find_first_not_of("0123456789."), text.size());
    const std::string_view written = text.substr(0, digits);
    const char* end = written.data() + written.size();
    double number = 0;
    const auto [stop, code] =
        std::from_chars(written.data(), written.data() + written.size(), number, std::chars_format::fixed);
    if (code != std::errc{} || stop != end)
        return std::nullopt;
    text.remove_prefix(digits);
    const auto letters = std::min(text.find_first_of("0123456789."), text.size());
    for (const auto& [unit, factor] : units)
        if (text.substr(0, letters) == unit) {
            text.remove_prefix(letters);
            return number * factor;
        }
    return std::nullopt;
}

}  // namespace

std::optional<std::chrono::nanoseconds> parse_go_duration(std::string_view text) {
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+'))
        text.remove_prefix(1);
    if (text == "0")
        return std::chrono::nanoseconds(0);
    if (text.empty())
        return std::nullopt;
    double sum = 0;
    while (!text.empty()) {
        const auto part = parse_part(text);
        if (!part)
            return std::nullopt;
        sum += *part;
    }
    if (sum >= 0x1p63)
        return std::nullopt;
    return std::chrono::nanoseconds(std::llround(negative ? -sum : sum));
}

}  // namespace base
