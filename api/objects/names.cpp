#include "api/objects/names.hpp"

#include <algorithm>

#include "base/plain_text.hpp"

namespace api {
namespace {

bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_letter(char c) {
    return is_lower(c) || (c >= 'A' && c <= 'Z');
}

/// A label without its limit of 63: parts of a subdomain have only the limit of the whole.
bool is_dns_part(std::string_view name) {
    const auto is_inner = [](char c) { return is_lower(c) || is_digit(c) || c == '-'; };
    return !name.empty() && name.front() != '-' && name.back() != '-' &&
           std::all_of(name.begin(), name.end(), is_inner);
}

bool is_dns_label(std::string_view name) {
    return name.size() <= 63 && is_dns_part(name);
}

/// Letters, digits, '-', '_', '.', starting and ending with a letter or digit.
bool is_qualified(std::string_view name) {
    const auto is_end = [](char c) { return is_letter(c) || is_digit(c); };
    return !name.empty() && name.size() <= 63 && is_end(name.front()) && is_end(name.back()) &&
           std::all_of(name.begin(), name.end(), [&](char c) { return is_end(c) || c == '-' || c == '_' || c == '.'; });
}

}  // namespace

std::string check_dns_label(std::string_view name) {
    if (is_dns_label(name))
        return {};
    return base::quoted(name) + " is not a DNS label (lower-case letters, digits and '-', 1..63 of them)";
}

std::string check_dns_subdomain(std::string_view name) {
    bool good = name.size() <= 253;
    for (std::string_view rest = name; good;) {
        const auto dot = rest.find('.');
        good = is_dns_part(rest.substr(0, dot));
        if (dot == std::string_view::npos)
            break;
        rest.remove_prefix(dot + 1);
    }
    if (good)
        return {};
    return base::quoted(name) + " is not a DNS name (lower-case letters, digits, '-' and '.', 1..253 of them)";
}

std::string check_port_name(std::string_view name) {
    const bool good =
        !name.empty() && name.size() <= 15 && name.front() != '-' && name.back() != '-' &&
        name.find("--") == std::string_view::npos && std::any_of(name.begin(), name.end(), is_lower) &&
        std::all_of(name.begin(), name.end(), [](char c) { return is_lower(c) || is_digit(c) || c == '-'; });
    if (good)
        return {};
    return base::quoted(name) +
           " is not a port name (1..15 lower-case letters, digits and single '-', at least one letter)";
}

std::string check_label_key(std::string_view key) {
    const auto slash = key.find('/');
    const bool good = slash == std::string_view::npos
                          ? is_qualified(key)
                          : check_dns_subdomain(key.substr(0, slash)).empty() && is_qualified(key.substr(slash + 1));
    return good ? std::string() : base::quoted(key) + " is not a label's key ([prefix/]name)";
}

std::string check_label_value(std::string_view value) {
    if (value.empty() || is_qualified(value))
        return {};
    return base::quoted(value) +
           " is not a label's value (at most 63 letters, digits, '-', '_' and '.', a letter or digit at both ends)";
}

}  // namespace api
