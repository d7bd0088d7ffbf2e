// The text of one manifest file as objects. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/source.hpp"

namespace api {

/// One object of a file, good or bad.
struct ManifestEntry {
    Removal key;
    Origin origin;
    std::string label;              ///< "Service shop/web"
    std::uint64_t fingerprint = 0;  ///< of its text: equal fingerprints, equal objects
    bool good = true;               ///< false: rejected, the last good version stays in force
    Object object;                  ///< meaningful when good
};

struct ManifestContent {
    std::vector<ManifestEntry> entries;
    std::vector<Problem> problems;
    /// False: the text as a whole cannot be used (syntax, empty); what was known of the file stays in force.
    bool usable = true;
};

/// `file` is used in messages; a name ending in ".json" is read as JSON, anything else as YAML, of which JSON is a part
/// (a text that begins with '{' is tried as JSON first, which is faster).
ManifestContent read_manifest(const std::string& file, std::string_view text);

}  // namespace api
