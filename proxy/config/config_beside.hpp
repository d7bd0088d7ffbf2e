// The configuration in a file that has more than that.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "proxy/config/config.hpp"

namespace proxy {

/// Does what parse_config() does, but leaves keys of the top level that are in `of_others` to them.
tl::expected<Config, std::string> parse_config_beside(std::string_view yaml, const std::string& file,
                                                      const std::vector<std::string_view>& of_others);

}  // namespace proxy
