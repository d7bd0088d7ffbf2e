// Reads JSON as it comes, object by object, and the items of a list one by one, without a tree of the whole: a list of
// 10,000 Services is 30 MB of text and 200 MB of tree. Files and servers' answers are read by it. Pure.
#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/wire/field.hpp"

namespace api {

/// What is complete.
struct JsonItem {
    enum class Kind {
        object,  ///< is not in a list
        item,    ///< of a list whose end is not known yet
        list,    ///< the object around the items, after them; its own "items" is empty
    };
    Kind kind = Kind::object;
    std::size_t begin = 0;     ///< where its first byte is in all that was fed
    std::size_t end = 0;       ///< behind its last byte
    std::string list_kind;     ///< of an item: "ServiceList", when the list says so before its items
    std::string list_version;  ///< of an item: the list's apiVersion, when it is said before the items
    boost::json::value value;  ///< valid during the visit only
    std::size_t keys = 0;      ///< that were read; more than `value` has: some came twice, and the last one was kept
};

struct JsonItemsError {
    std::size_t at = 0;   ///< bytes from the beginning
    std::string message;  ///< for people; empty: no error
};

class JsonItems {
public:
    static constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();
    struct Options {
        bool reduced = false;                   ///< without what nobody reads (json_handlers.hpp)
        std::size_t longest_item = no_limit;    ///< bytes
        std::size_t longest_object = no_limit;  ///< bytes of an object, of a list without its items
    };

    JsonItems(Options options, std::function<void(JsonItem&)> visit);
    ~JsonItems();
    JsonItems(const JsonItems&) = delete;
    JsonItems& operator=(const JsonItems&) = delete;

    /// Visits what these bytes complete. After an error nothing more is read.
    void feed(std::string_view bytes);
    /// All has come. On an error, what was visited before should not be used either.
    JsonItemsError finish() const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

/// Members whose keys came twice, by their path; `text` is an object that has been read.
std::vector<Mistake> find_duplicates(const JsonItem& item, std::string_view text);

}  // namespace api
