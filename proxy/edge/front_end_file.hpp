// The edge's file: podferry's settings (config/settings.hpp), and what an edge has beside them: front ends with their
// real servers (docs/edge.md). Each front end is judged on its own. Pure.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "api/objects/source.hpp"
#include "proxy/edge/balanced.hpp"

namespace proxy {

/// What of the file is not a setting: its top-level keys.
const std::vector<std::string_view>& edge_sections();

/// How many front ends and, of all together, real servers a file may have.
inline constexpr std::size_t most_front_ends = 16'384;
inline constexpr std::size_t most_backends = 262'144;

struct EdgeFile {
    std::vector<Balanced> front_ends;    ///< those without a mistake
    std::set<api::ObjectName> mistaken;  ///< names of those that have some: what was last good of them stays
    bool nameless = false;               ///< one with a mistake has no name: nobody knows whom it was to replace
    std::vector<api::Problem> problems;  ///< "FILE:LINE: front end web: front_ends[0].port: missing"
    bool readable = true;                ///< false: it is no YAML, or no mapping, and says nothing
};

/// `file`: its name, for messages.
EdgeFile read_edge_file(std::string_view text, const std::string& file);

}  // namespace proxy
