// What becomes of a configuration that is read again while podferry runs (SIGHUP). Pure.
#pragma once

#include <string>
#include <vector>

#include "proxy/config/config.hpp"

namespace proxy {

/// Names of settings that differ, and hold from the next start on: all but the log's, which are in force at once.
std::vector<std::string> needs_restart(const Config& running, const Config& fresh);

}  // namespace proxy
