// What becomes of a configuration that is read again while podferry runs (SIGHUP). Pure.
#pragma once

#include <string>
#include <vector>

#include "proxy/config/config.hpp"

namespace proxy {

struct Reload {
    bool log = false;                        ///< log_level or log_format: in force at once
    std::vector<std::string> needs_restart;  ///< names of settings that differ, and hold from the next start on
};

Reload reload_of(const Config& running, const Config& fresh);

}  // namespace proxy
