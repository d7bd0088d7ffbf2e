// What a scalar of YAML stands for, by the rules of go.yaml.in/yaml/v2 (resolve.go), from which sigs.k8s.io/yaml makes
// JSON: YAML 1.1's words, octal and binary numbers, '_' between digits. Pure.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace api {

/// What a scalar without quotes, or with a tag, stands for: null, a flag, a number or a text. `tag` is the long form
/// ("tag:yaml.org,2002:int"), or empty. The error is a sentence: the text is not what its tag says, or cannot be JSON.
tl::expected<boost::json::value, std::string> resolve_scalar(std::string_view tag, std::string_view text);

/// A mapping's key as JSON has it: 8_080 is "8080", yes is "true". The error is a sentence: null, list or mapping.
tl::expected<std::string, std::string> scalar_key(const boost::json::value& key);

}  // namespace api
