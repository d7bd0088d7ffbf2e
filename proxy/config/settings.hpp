// The table of settings: one row each, from which reading, printing and documenting follow.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/config/config.hpp"

namespace proxy {

struct Setting {
    std::string_view name;
    std::string_view documentation;  ///< meaning, unit, range; one line
    /// Stores the value; returns what is wrong with it, or an empty string.
    std::function<std::string(Config&, const std::vector<std::string>&)> read;
    /// The value as YAML.
    std::function<std::string(const Config&)> print;
};

const std::vector<Setting>& settings();
const Setting* find_setting(std::string_view name);

/// "; did you mean 'node_ip'?" when a setting's name is near, else empty.
std::string did_you_mean(std::string_view name);

/// Settings that cannot hold together, each as one sentence that names both.
std::vector<std::string> contradictions(const Config& config);

}  // namespace proxy
