// YAML as Kubernetes reads it (sigs.k8s.io/yaml): documents become JSON values. yaml-cpp parses.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "api/field.hpp"

namespace api {

/// Where a value, the items of a list, or the keys of a map stand; children in the order of items or members.
struct YamlLines {
    int line = 0;
    std::vector<YamlLines> children;
};

struct YamlDocument {
    boost::json::value value;
    int line = 1;                   ///< where it starts
    std::vector<Mistake> mistakes;  ///< duplicate keys; of two, the later one is the mistake
    YamlLines lines;

    /// The line of what a path leads to, or of the nearest thing above it.
    int line_of(const std::vector<Step>& path) const;
};

struct YamlError {
    int line = 0;
    int column = 0;
    std::string message;
};

/// All documents of a stream; empty ones are left out. An error spoils the whole stream: what stands behind a syntax
/// error cannot be told. Bounded: at most 64 levels and 2,000,000 values, aliases counted each time they are used.
tl::expected<std::vector<YamlDocument>, YamlError> parse_yaml(const std::string& text);

}  // namespace api
