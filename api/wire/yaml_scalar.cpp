#include "api/wire/yaml_scalar.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>

namespace api {
namespace {

namespace json = boost::json;

constexpr std::string_view standard = "tag:yaml.org,2002:";

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

template <std::size_t N>
bool is_one_of(std::string_view text, const std::array<std::string_view, N>& words) {
    return std::find(words.begin(), words.end(), text) != words.end();
}

constexpr std::array<std::string_view, 11> true_words = {"y",    "Y",    "yes", "Yes", "YES", "true",
                                                         "True", "TRUE", "on",  "On",  "ON"};
constexpr std::array<std::string_view, 11> false_words = {"n",     "N",     "no",  "No",  "NO", "false",
                                                          "False", "FALSE", "off", "Off", "OFF"};
constexpr std::array<std::string_view, 5> null_words = {"", "~", "null", "Null", "NULL"};
constexpr std::array<std::string_view, 12> no_json = {".nan",  ".NaN",  ".NAN",  ".inf",  ".Inf",  ".INF",
                                                      "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"};

template <class Number>
bool whole(std::string_view text, int base, Number& number) {
    const char* end = text.data() + text.size();
    const auto [stop, code] = std::from_chars(text.data(), end, number, base);
    return code == std::errc{} && stop == end && !text.empty();
}

/// Go's ParseInt, else ParseUint, with base 0.
std::optional<json::value> integer(std::string_view text) {
    const bool negative = text.starts_with('-');
    const bool sign = negative || text.starts_with('+');
    std::string_view digits = text.substr(sign ? 1 : 0);
    int base = 10;
    if (digits.size() > 1 && digits[0] == '0') {
        const char c = static_cast<char>(digits[1] | 0x20);
        base = c == 'x' ? 16 : c == 'b' ? 2 : 8;
        digits.remove_prefix(c == 'x' || c == 'b' || c == 'o' ? 2 : 1);
    }
    std::uint64_t number = 0;
    if (digits.empty() || digits[0] == '-' || digits[0] == '+' || !whole(digits, base, number))
        return std::nullopt;
    constexpr auto limit = std::uint64_t{1} << 63;
    if (negative)
        return number <= limit ? std::optional<json::value>(static_cast<std::int64_t>(~number + 1)) : std::nullopt;
    if (number < limit)
        return json::value(static_cast<std::int64_t>(number));
    return sign ? std::nullopt : std::optional<json::value>(number);
}

/// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
std::optional<double> real(std::string_view text) {
    if (text.starts_with('+'))
        text.remove_prefix(1);
    const std::size_t first = text.starts_with('-') ? 1 : 0;
    if (first == text.size() || !(is_digit(text[first]) || text[first] == '.'))
        return std::nullopt;
    double number = 0;
    const char* end = text.data() + text.size();
    const auto [stop, code] = std::from_chars(text.data(), end, number);
    return code == std::errc{} && stop == end && std::isfinite(number) ? std::optional(number) : std::nullopt;
}

std::optional<json::value> number(std::string_view text) {
    if (text.empty() || !(is_digit(text[0]) || text[0] == '+' || text[0] == '-' || text[0] == '.'))
        return std::nullopt;
    std::string plain(text);
    if (text[0] != '.') {
        std::erase(plain, '_');
        if (auto found = integer(plain))
            return found;
    }
    const auto found = real(plain);
    return found ? std::optional<json::value>(*found) : std::nullopt;
}

json::value plain(std::string_view text) {
    if (is_one_of(text, null_words))
        return nullptr;
    if (is_one_of(text, true_words))
        return true;
    if (is_one_of(text, false_words))
        return false;
    if (auto found = number(text))
        return *found;
    return json::string(text);
}

bool fits(std::string_view tag, const json::value& value) {
    if (tag == "bool")
        return value.is_bool();
    if (tag == "null")
        return value.is_null();
    if (tag == "int")
        return value.is_int64() || value.is_uint64();
    if (tag == "float")
        return value.is_number();
    return value.is_string();  // timestamp
}

}  // namespace

tl::expected<json::value, std::string> resolve_scalar(std::string_view tag, std::string_view text) {
    static constexpr std::array<std::string_view, 5> meant = {"bool", "int", "float", "null", "timestamp"};
    const bool is_standard = tag.starts_with(standard);
    const std::string_view type = is_standard ? tag.substr(standard.size()) : tag;
    if (!tag.empty() && !(is_standard && is_one_of(type, meant)))
        return json::string(text);  // a text by its tag, or by somebody's own
    if (is_one_of(text, no_json))
        return tl::unexpected("'" + std::string(text) + "' is no number that JSON has; put it in quotes");
    json::value value = plain(text);
    if (!tag.empty() && !fits(type, value))
        return tl::unexpected("'" + std::string(text.substr(0, 60)) + "' is not what its tag !!" + std::string(type) +
                              " says");
    return value;
}

tl::expected<std::string, std::string> scalar_key(const json::value& key) {
    if (const auto* text = key.if_string())
        return std::string(text->data(), text->size());
    if (key.is_bool())
        return std::string(key.get_bool() ? "true" : "false");
    std::array<char, 32> buffer{};
    std::to_chars_result end{buffer.data(), {}};
    if (key.is_int64())
        end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), key.get_int64());
    else if (key.is_uint64())
        end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), key.get_uint64());
    else if (key.is_double())
        end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), static_cast<float>(key.get_double()),
                            std::chars_format::general);
    else
        return tl::unexpected(std::string(key.is_null() ? "a key that is null" : "a key that is a list or a mapping") +
                              "; a key is a text");
    return std::string(buffer.data(), end.ptr);
}

}  // namespace api
