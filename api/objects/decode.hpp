// Makes API objects of a parsed document: defaulting and validation as the API server does them
// (pkg/apis/core/v1/defaults.go, pkg/apis/core/validation), for the fields that podferry uses. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/objects/types.hpp"
#include "api/wire/field.hpp"

namespace api {

struct Decoded {
    std::optional<Kind> kind;     ///< known even when the object is bad, if its kind could be read
    std::string other;            ///< set, and nothing else: of a kind that is not used here, "Deployment.apps"
    ObjectName name;              ///< known even when the object is bad, if it could be read
    std::string version;          ///< metadata.resourceVersion
    std::string label;            ///< "Service shop/web", for messages
    std::vector<Object> objects;  ///< none when the object is bad; several from Endpoints
    std::vector<Mistake> mistakes;
    /// Names of the decoded objects, also when they are bad and their last good version should stay.
    std::vector<ObjectName> names;
};

/// What items of a typed list ("ServiceList") are that have neither a kind nor an apiVersion.
struct KindHint {
    std::string kind;
    std::string api_version;  ///< empty: the one that we know of the kind
};

/// An object is known by its kind and the group of its apiVersion: a Service of serving.knative.dev is none of ours.
Decoded decode(const Value& document, const KindHint& hint = {}, Strictness strictness = Strictness::manifest);

}  // namespace api
