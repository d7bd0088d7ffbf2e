// Cuts JSON text into the objects it is made of, without building a tree of the whole: objects one after the other, and
// the items of a List one by one. A list of 10,000 Services is 30 MB of text and 200 MB of tree.
#pragma once

#include <boost/json/value.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/wire/field.hpp"

namespace api {

struct JsonItem {
    std::string_view text;
    int line = 1;                   ///< where it starts
    std::string kind_hint;          ///< "Service" for an item of a ServiceList
    std::string version_hint;       ///< the list's apiVersion
    boost::json::value value;       ///< valid during the visit only
    std::vector<Mistake> mistakes;  ///< duplicate keys
};

struct JsonError {
    int line = 0;
    std::string message;  ///< empty: no error
};

/// Calls `visit` for each object. On an error the text is worth nothing from there on, and what was visited before
/// should not be used either.
JsonError for_each_json_item(std::string_view text, const std::function<void(JsonItem&)>& visit);

}  // namespace api
