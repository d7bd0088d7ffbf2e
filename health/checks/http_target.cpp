#include "health/checks/http_target.hpp"

#include <algorithm>

namespace health {
namespace {

bool is_hex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// The length of "scheme:" at the start; 0 when there is none.
std::size_t scheme_length(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos || colon == 0 || !is_letter(text[0]))
        return 0;
    const bool good = std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(colon), [](char c) {
        return is_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
    });
    return good ? colon + 1 : 0;
}

/// Everything that cannot stand in a path or query as it is; '%' too when `percent`.
std::string escape(std::string_view text, bool percent) {
    static constexpr char digits[] = "0123456789ABCDEF";
    static constexpr std::string_view never = "\"<>\\^`{|}";
    std::string result;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte > 0x20 && byte < 0x7f && never.find(c) == std::string_view::npos && !(percent && c == '%')) {
            result += c;
            continue;
        }
        result += '%';
        result += digits[byte >> 4];
        result += digits[byte & 15];
    }
    return result;
}

bool has_bad_escape(std::string_view text) {
    for (std::size_t at = 0; (at = text.find('%', at)) != std::string_view::npos; ++at)
        if (at + 2 >= text.size() || !is_hex(text[at + 1]) || !is_hex(text[at + 2]))
            return true;
    return false;
}

bool has_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7f;
    });
}

std::string with_slash(const std::string& path) {
    return path.starts_with('/') ? path : "/" + path;
}

/// Path and query of a reference that has no scheme and no authority.
std::string target_of(std::string_view reference) {
    const auto query = reference.find('?');
    std::string target = with_slash(escape(reference.substr(0, query), false));
    if (query != std::string_view::npos)
        target += escape(reference.substr(query), false);
    return target;
}

/// Reads "host[:port]" after optional user information; false when it makes no sense.
bool read_authority(std::string_view text, HttpUrl& url) {
    if (const auto at = text.rfind('@'); at != std::string_view::npos)
        text.remove_prefix(at + 1);
    std::string_view rest;
    if (text.starts_with('[')) {
        const auto bracket = text.find(']');
        if (bracket == std::string_view::npos)
            return false;
        url.host = std::string(text.substr(1, bracket - 1));
        rest = text.substr(bracket + 1);
    } else {
        const auto colon = text.find(':');
        url.host = std::string(text.substr(0, colon));
        rest = colon == std::string_view::npos ? "" : text.substr(colon);
    }
    url.port = rest.empty() ? "" : std::string(rest.substr(1));
    const bool digits = std::all_of(url.port.begin(), url.port.end(), [](char c) { return c >= '0' && c <= '9'; });
    return !url.host.empty() && digits && (rest.empty() || rest[0] == ':') && url.port.size() <= 5;
}

}  // namespace

std::string request_target(std::string_view path) {
    std::string_view rest = path.substr(0, path.find('#'));
    if (has_control(path) || has_bad_escape(rest.substr(0, rest.find('?')))) {
        // Does not parse as a URL: all of it is a path.
        std::string literal = escape(path, true);
        for (const auto& [mark, escaped] : {std::pair("?", "%3F"), std::pair("#", "%23")})
            for (std::size_t at = 0; (at = literal.find(mark, at)) != std::string::npos;)
                literal.replace(at, 1, escaped);
        return with_slash(literal);
    }
    if (const std::size_t scheme = scheme_length(rest); scheme > 0 && rest.substr(scheme).starts_with('/'))
        rest.remove_prefix(scheme);
    if (rest.starts_with("//")) {
        const auto end = rest.find_first_of("/?", 2);
        rest = end == std::string_view::npos ? "" : rest.substr(end);
    }
    return target_of(rest);
}

std::string host_text(const std::string& host, const std::string& port) {
    const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
    return port.empty() ? name : name + ":" + port;
}

std::string to_string(const HttpUrl& url) {
    return (url.https ? "https://" : "http://") + host_text(url.host, url.port) + url.target;
}

std::optional<HttpUrl> resolve_location(const HttpUrl& base, std::string_view location) {
    if (has_control(location) || has_bad_escape(location.substr(0, location.find_first_of("?#"))))
        return std::nullopt;
    std::string_view rest = location.substr(0, location.find('#'));
    HttpUrl url = base;
    if (const std::size_t scheme = scheme_length(rest); scheme > 0) {
        std::string name(rest.substr(0, scheme - 1));
        std::transform(name.begin(), name.end(), name.begin(), [](char c) { return static_cast<char>(c | 0x20); });
        if (name != "http" && name != "https")
            return std::nullopt;
        url.https = name == "https";
        rest.remove_prefix(scheme);
        if (!rest.starts_with("//"))
            return std::nullopt;
    }
    if (rest.starts_with("//")) {
        const auto end = std::min(rest.find_first_of("/?", 2), rest.size());
        if (!read_authority(rest.substr(2, end - 2), url))
            return std::nullopt;
        url.target = target_of(rest.substr(end));
        return url;
    }
    const std::string_view base_path = std::string_view(base.target).substr(0, base.target.find('?'));
    if (rest.starts_with('/'))
        url.target = target_of(rest);
    else if (rest.starts_with('?') || rest.empty())
        url.target = std::string(base_path) + escape(rest, false);
    else
        url.target = target_of(std::string(base_path.substr(0, base_path.rfind('/') + 1)) + std::string(rest));
    return url;
}

}  // namespace health
