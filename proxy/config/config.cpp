#include "proxy/config/config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "api/wire/text_encoding.hpp"
#include "api/wire/yaml_document.hpp"
#include "proxy/config/config_beside.hpp"
#include "proxy/config/settings.hpp"

namespace proxy {
namespace {

namespace json = boost::json;

std::string at(const std::string& file, const api::YamlPlace& place) {
    return fmt::format("{}:{}:{}: ", file, place.line, place.column);
}

std::string text_of(const json::string& text) {
    return {text.data(), text.size()};
}

/// The scalars of a value: one for a scalar, several for a list. Empty optional: neither.
std::optional<std::vector<std::string>> scalars(const json::value& value) {
    if (value.is_null())
        return std::vector<std::string>{};
    if (const auto* text = value.if_string())
        return std::vector{text_of(*text)};
    if (!value.is_array())
        return std::nullopt;
    std::vector<std::string> values;
    for (const json::value& item : value.get_array()) {
        if (!item.is_string())
            return std::nullopt;
        values.push_back(text_of(item.get_string()));
    }
    return values;
}

std::string read_setting(const std::string& name, const json::value& value, const api::YamlLines& lines,
                         const std::string& file, Config& config) {
    const Setting* setting = find_setting(name);
    if (setting == nullptr)
        return at(file, lines.at) + name + ": unknown setting" + did_you_mean(name) + "\n";
    const auto values = scalars(value);
    const std::string wrong = values ? setting->read(config, *values) : "must be a value or a list of values";
    return wrong.empty() ? "" : at(file, value.is_null() ? lines.at : lines.value) + name + ": " + wrong + "\n";
}

/// What is wrong with the settings; they go into `config`.
std::string read_settings(const api::YamlDocument& document, const std::string& file,
                          const std::vector<std::string_view>& of_others, Config& config) {
    std::string mistakes;
    const auto& lines = document.lines.children;
    const auto& members = document.value.get_object();
    for (const api::Mistake& mistake : document.mistakes) {
        const std::string name = api::to_string(mistake.path);
        const auto* member = members.find(name);
        if (member != members.end())
            mistakes += at(file, lines[static_cast<std::size_t>(member - members.begin())].at) + name +
                        ": given twice; remove one of them\n";
    }
    std::size_t index = 0;
    for (const auto& member : members) {
        const api::YamlLines& place = lines[index++];
        const std::string name(member.key());
        if (std::find(of_others.begin(), of_others.end(), name) == of_others.end())
            mistakes += read_setting(name, member.value(), place, file, config);
    }
    return mistakes;
}

}  // namespace

tl::expected<Config, std::string> parse_config(std::string_view yaml, const std::string& file) {
    return parse_config_beside(yaml, file, {});
}

tl::expected<Config, std::string> parse_config_beside(std::string_view yaml, const std::string& file,
                                                      const std::vector<std::string_view>& of_others) {
    std::string storage;
    api::YamlBudget budget;
    const auto document = api::parse_yaml_document(api::as_utf8(yaml, storage), budget, 1, api::YamlScalars::as_text);
    if (!document)
        return tl::unexpected(at(file, {document.error().line, document.error().column}) + "not valid " +
                              document.error().message + "\n");
    Config config = default_config();
    std::string mistakes;
    if (*document) {
        const api::YamlDocument& root = **document;
        if (!root.value.is_object())
            return tl::unexpected(at(file, root.lines.value) + "must be a mapping of settings to values\n");
        if (root.next_line != 0)
            return tl::unexpected(at(file, {root.next_line, 1}) +
                                  "more than one YAML document; a configuration is one\n");
        mistakes = read_settings(root, file, of_others, config);
    }
    if (mistakes.empty())
        for (const std::string& contradiction : contradictions(config))
            mistakes += file + ": " + contradiction + "\n";
    if (!mistakes.empty())
        return tl::unexpected(mistakes);
    return config;
}

}  // namespace proxy
