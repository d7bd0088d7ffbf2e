// YAML as Kubernetes reads it (sigs.k8s.io/yaml on go.yaml.in/yaml/v2): documents become JSON values, merge keys (<<)
// and aliases are resolved. libyaml parses, of which Go's parser is a translation. Pure.
#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "api/wire/field.hpp"

namespace api {

struct YamlPlace {
    int line = 0;
    int column = 0;
};

/// The lines on which a value, the items of a list, or the keys of a map stand; children in the order of items or
/// members.
struct YamlLines {
    YamlPlace at;     ///< of a member: its key
    YamlPlace value;  ///< itself
    std::vector<YamlLines> children;
};

struct YamlDocument {
    boost::json::value value;
    int line = 1;                   ///< where it starts
    std::vector<Mistake> mistakes;  ///< duplicate keys; of two, the later one is the mistake
    YamlLines lines;
    int next_line = 0;  ///< where the text goes on with another document, which is not read; 0: it does not

    /// The line of what a path leads to, or of the nearest thing above it.
    int line_of(const std::vector<Step>& path) const;
};

struct YamlError {
    int line = 0;
    int column = 0;
    std::string message;
};

enum class YamlScalars : std::uint8_t { typed, as_text };

/// How many scalars, lists, maps and keys may still be read. Aliases count each time they are used.
struct YamlBudget {
    std::size_t values = 4'000'000;
};

/// The first document of the text; nullopt: it is empty, or null. `line` is where the text begins, in its file.
/// Bounded: 64 levels, the budget, and Kubernetes' own bound of aliases.
tl::expected<std::optional<YamlDocument>, YamlError> parse_yaml_document(std::string_view text, YamlBudget& budget,
                                                                         int line = 1,
                                                                         YamlScalars scalars = YamlScalars::typed);

/// All documents of a text that are not empty; the first error ends it.
tl::expected<std::vector<YamlDocument>, YamlError> parse_yaml(std::string_view text);

}  // namespace api
