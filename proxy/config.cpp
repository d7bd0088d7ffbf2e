#include "proxy/config.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>

#include "api/yaml_document.hpp"
#include "proxy/settings.hpp"

namespace proxy {
namespace {

/// Line and column are 1-based for people; yaml-cpp counts from 0.
std::string at(const std::string& file, const YAML::Mark& mark) {
    if (mark.is_null())
        return file + ": ";
    return file + ":" + std::to_string(mark.line + 1) + ":" + std::to_string(mark.column + 1) + ": ";
}

/// The scalars of a value: one for a scalar, several for a list. Empty optional: neither.
std::optional<std::vector<std::string>> scalars(const YAML::Node& node) {
    if (node.IsNull())
        return std::vector<std::string>{};
    if (node.IsScalar())
        return std::vector{node.Scalar()};
    if (!node.IsSequence())
        return std::nullopt;
    std::vector<std::string> values;
    for (const auto& item : node) {
        if (!item.IsScalar())
            return std::nullopt;
        values.push_back(item.Scalar());
    }
    return values;
}

void read_setting(const YAML::Node& key, const YAML::Node& value, const std::string& file, Config& config,
                  std::set<std::string>& seen, std::string& mistakes) {
    const std::string name = key.IsScalar() ? key.Scalar() : "";
    const Setting* setting = find_setting(name);
    if (setting == nullptr) {
        mistakes += at(file, key.Mark()) + name + ": unknown setting" + did_you_mean(name) + "\n";
        return;
    }
    if (!seen.insert(name).second) {
        mistakes += at(file, key.Mark()) + name + ": given twice; remove one of them\n";
        return;
    }
    const auto values = scalars(value);
    const std::string wrong = values ? setting->read(config, *values) : "must be a value or a list of values";
    if (!wrong.empty())
        mistakes += at(file, value.IsNull() ? key.Mark() : value.Mark()) + name + ": " + wrong + "\n";
}

}  // namespace

tl::expected<Config, std::string> parse_config(std::string_view yaml, const std::string& file) {
    // YAML::LoadAll() below never returns from some texts; these are refused here, and so are those that fill the
    // memory.
    if (const auto readable = api::parse_yaml(std::string(yaml)); !readable)
        return tl::unexpected(fmt::format("{}:{}:{}: not valid {}\n", file, readable.error().line,
                                          readable.error().column, readable.error().message));
    Config config = default_config();
    std::string mistakes;
    try {
        const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(yaml));
        if (documents.size() > 1)
            return tl::unexpected(file + ": more than one YAML document; a configuration is one\n");
        const YAML::Node root = documents.empty() ? YAML::Node() : documents[0];
        if (!root.IsNull() && !root.IsMap())
            return tl::unexpected(at(file, root.Mark()) + "must be a mapping of settings to values\n");
        std::set<std::string> seen;
        for (const auto& entry : root)
            read_setting(entry.first, entry.second, file, config, seen, mistakes);
    } catch (const YAML::Exception& error) {
        return tl::unexpected(at(file, error.mark) + "not valid YAML: " + error.msg + "\n");
    }
    if (mistakes.empty())
        for (const std::string& contradiction : contradictions(config))
            mistakes += file + ": " + contradiction + "\n";
    if (!mistakes.empty())
        return tl::unexpected(mistakes);
    return config;
}

}  // namespace proxy
