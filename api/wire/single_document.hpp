// A file that is one YAML document: a kubeconfig, another program's configuration. The first document counts, as it
// does for client-go and kube-proxy.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "api/wire/field.hpp"
#include "api/wire/yaml_document.hpp"

namespace api {

/// The document, a mapping; the error is one line, "FILE:LINE: what is wrong\n". Duplicate keys are in its `mistakes`.
tl::expected<YamlDocument, std::string> parse_single_document(std::string_view text, const std::string& file);

/// One line for each mistake, in their order: "FILE:LINE: path: what is wrong\n".
std::string describe(const std::vector<Mistake>& mistakes, const YamlDocument& document, const std::string& file);

}  // namespace api
