// The text of one manifest file as objects, read as kubectl reads it. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "api/objects/source.hpp"

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

/// Objects by kind: "Deployment.apps". Bounded: from the 100th kind on they are "others".
using KindCounts = std::map<std::string, std::size_t>;

struct ManifestContent {
    std::vector<ManifestEntry> entries;
    std::vector<Problem> problems;  ///< at most some 100
    KindCounts others;              ///< objects that are not for us
    /// False: some of the text cannot be used (syntax, empty); what was known of the file and is not in `entries` stays
    /// in force.
    bool complete = true;
};

constexpr std::size_t max_manifest_size = std::size_t{256} << 20;  ///< bytes

/// `file` is used in messages. A text that begins with '{' is read as JSON, and as YAML when it is no JSON; any other
/// as YAML. In YAML each document is judged by itself, in JSON the whole. Bounded: 100,000 documents, YamlBudget.
ManifestContent read_manifest(const std::string& file, std::string_view bytes);

}  // namespace api
