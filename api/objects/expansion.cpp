#include "api/objects/expansion.hpp"

namespace api {
namespace {

/// What a '$' and the text behind it become; takes of the text what that was.
std::string take(std::string_view& text, const Environment& environment) {
    if (text.starts_with('$')) {
        text.remove_prefix(1);
        return "$";
    }
    const auto end = text.starts_with('(') ? text.find(')') : std::string_view::npos;
    if (end == std::string_view::npos)
        return "$";
    const auto found = environment.find(text.substr(1, end - 1));
    std::string value = found == environment.end() ? "$" + std::string(text.substr(0, end + 1)) : found->second;
    text.remove_prefix(end + 1);
    return value;
}

}  // namespace

std::optional<std::string> expand(std::string_view text, const Environment& environment, std::size_t most) {
    std::string result;
    while (!text.empty()) {
        const auto operator_at = text.find('$');
        result += text.substr(0, operator_at);
        text.remove_prefix(operator_at == std::string_view::npos ? text.size() : operator_at + 1);
        if (operator_at != std::string_view::npos)
            result += take(text, environment);
        if (result.size() > most)
            return std::nullopt;
    }
    return result;
}

}  // namespace api
