#include "base/rfc3339.hpp"

#include <fmt/chrono.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <ctime>

namespace base {
namespace {

using std::chrono::system_clock;

bool is_digit(char c) {
    return std::isdigit(static_cast<unsigned char>(c)) != 0;
}

/// Takes exactly `count` digits from the front.
bool parse_digits(std::string_view& text, std::size_t count, int low, int high, int& number) {
    if (text.size() < count || !std::all_of(text.begin(), text.begin() + static_cast<long>(count), is_digit))
        return false;
    number = 0;
    for (const char c : text.substr(0, count))
        number = number * 10 + (c - '0');
    text.remove_prefix(count);
    return number >= low && number <= high;
}

bool skip(std::string_view& text, char letter) {
    if (!text.starts_with(letter))
        return false;
    text.remove_prefix(1);
    return true;
}

/// ".25"; digits past nanoseconds count for nothing.
bool parse_fraction(std::string_view& text, std::chrono::nanoseconds& fraction) {
    if (!skip(text, '.'))
        return true;
    std::int64_t unit = 100'000'000;
    const auto digits = std::min(
        text.size(), static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin()));
    for (const char c : text.substr(0, digits)) {
        fraction += std::chrono::nanoseconds((c - '0') * unit);
        unit /= 10;
    }
    text.remove_prefix(digits);
    return digits != 0;
}

bool parse_offset(std::string_view& text, std::chrono::minutes& offset) {
    if (skip(text, 'Z'))
        return true;
    const bool west = text.starts_with('-');
    int hours = 0;
    int minutes = 0;
    if (!(skip(text, '+') || skip(text, '-')) || !parse_digits(text, 2, 0, 23, hours) || !skip(text, ':') ||
        !parse_digits(text, 2, 0, 59, minutes))
        return false;
    offset = std::chrono::minutes((hours * 60 + minutes) * (west ? -1 : 1));
    return true;
}

}  // namespace

std::optional<system_clock::time_point> parse_rfc3339(std::string_view text) {
    using namespace std::chrono;
    int year_number = 0, month_number = 0, day_number = 0, hour = 0, minute = 0, second = 0;
    nanoseconds fraction{0};
    minutes offset{0};
    if (!parse_digits(text, 4, 0, 9999, year_number) || !skip(text, '-') ||
        !parse_digits(text, 2, 1, 12, month_number) || !skip(text, '-') || !parse_digits(text, 2, 1, 31, day_number) ||
        !skip(text, 'T') || !parse_digits(text, 2, 0, 23, hour) || !skip(text, ':') ||
        !parse_digits(text, 2, 0, 59, minute) || !skip(text, ':') || !parse_digits(text, 2, 0, 59, second) ||
        !parse_fraction(text, fraction) || !parse_offset(text, offset) || !text.empty())
        return std::nullopt;
    const year_month_day date{year(year_number), month(static_cast<unsigned>(month_number)),
                              day(static_cast<unsigned>(day_number))};
    if (!date.ok())
        return std::nullopt;
    const sys_seconds whole = sys_days(date) + hours(hour) + minutes(minute) + seconds(second) - offset;
    if (whole >= floor<seconds>(system_clock::time_point::max()))
        return system_clock::time_point::max();
    if (whole <= ceil<seconds>(system_clock::time_point::min()))
        return system_clock::time_point::min();
    return time_point_cast<system_clock::duration>(whole + fraction);
}

std::string to_rfc3339(std::chrono::sys_seconds time) {
    using namespace std::chrono;
    constexpr sys_seconds first = sys_days(year(1) / January / 1);
    constexpr sys_seconds last = sys_days(year(10'000) / January / 1) - seconds(1);
    const std::time_t since_epoch = std::clamp(time, first, last).time_since_epoch().count();
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(since_epoch));
}

}  // namespace base
