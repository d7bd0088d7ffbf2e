// Handlers for boost::json::basic_parser: what json_items.cpp needs beyond a plain parse.
#pragma once

#include <boost/json/error.hpp>
#include <boost/json/value_stack.hpp>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "api/wire/field.hpp"

namespace api {

/// Builds a value; counts its keys, of which Boost.JSON keeps the last one when they come twice; says when the items of
/// a list begin, and what the list has said of itself before. `reduced`: without members of two names, wherever they
/// are: who manages which fields, and which pod an endpoint stands for, is a third of what a server sends, and nobody
/// here reads it.
class JsonBuilder {
public:
    using Error = boost::json::error_code;
    using View = boost::json::string_view;
    static constexpr std::size_t max_object_size = boost::json::object::max_size();
    static constexpr std::size_t max_array_size = boost::json::array::max_size();
    static constexpr std::size_t max_key_size = boost::json::string::max_size();
    static constexpr std::size_t max_string_size = boost::json::string::max_size();

    explicit JsonBuilder(bool reduced) : reduced_(reduced) {}

    boost::json::value_stack stack;
    std::size_t keys = 0;
    bool at_items = false;  ///< the list has just begun that is the value's own member "items"
    std::string kind;       ///< the value's own, as far as it has come
    std::string version;    ///< its own apiVersion

    bool on_document_begin(Error&) {
        keys = 0;
        at_items = skipping_ = false;
        kind.clear();
        version.clear();
        left_out_.clear();
        key_.clear();
        lists_ = depth_ = 0;
        return true;
    }
    bool on_document_end(Error&) { return true; }
    bool on_object_begin(Error&) {
        if (skipping_)
            ++depth_;
        else
            left_out_.push_back(0);
        return true;
    }
    bool on_object_end(std::size_t size, Error&) {
        if (skipping_)
            return skipped(1);
        stack.push_object(size - left_out_.back());
        left_out_.pop_back();
        return true;
    }
    bool on_array_begin(Error&) {
        if (skipping_)
            return ++depth_, true;
        at_items = is_on_top() && top_key_ == "items";
        ++lists_;
        return true;
    }
    bool on_array_end(std::size_t size, Error&) {
        if (skipping_)
            return skipped(1);
        --lists_;
        return stack.push_array(size), true;
    }
    bool on_key_part(View part, std::size_t, Error&) {
        if (!skipping_)
            key_.append(part.data(), part.size());
        return true;
    }
    bool on_key(View part, std::size_t, Error&) {
        if (skipping_)
            return true;
        ++keys;
        if (!key_.empty())
            part = key_.append(part.data(), part.size());
        if (is_on_top())
            top_key_.assign(part.data(), part.size());
        skipping_ = reduced_ && (part == "managedFields" || part == "targetRef");
        if (skipping_)
            ++left_out_.back();
        else
            stack.push_key(part);
        key_.clear();
        return true;
    }
    bool on_string_part(View part, std::size_t, Error&) {
        if (skipping_)
            return true;
        note_own(part);
        return stack.push_chars(part), true;
    }
    bool on_string(View part, std::size_t, Error&) {
        if (skipping_)
            return skipped(0);
        note_own(part);
        return stack.push_string(part), true;
    }
    bool on_number_part(View, Error&) { return true; }
    bool on_int64(std::int64_t number, View, Error&) {
        return skipping_ ? skipped(0) : (stack.push_int64(number), true);
    }
    bool on_uint64(std::uint64_t number, View, Error&) {
        return skipping_ ? skipped(0) : (stack.push_uint64(number), true);
    }
    bool on_double(double number, View, Error&) { return skipping_ ? skipped(0) : (stack.push_double(number), true); }
    bool on_bool(bool flag, Error&) { return skipping_ ? skipped(0) : (stack.push_bool(flag), true); }
    bool on_null(Error&) { return skipping_ ? skipped(0) : (stack.push_null(), true); }
    bool on_comment_part(View, Error&) { return true; }
    bool on_comment(View, Error&) { return true; }

private:
    bool is_on_top() const { return left_out_.size() == 1 && lists_ == 0; }

    void note_own(View part) {
        if (!is_on_top())
            return;
        if (top_key_ == "kind")
            kind.append(part.data(), part.size());
        else if (top_key_ == "apiVersion")
            version.append(part.data(), part.size());
    }

    /// A value that is left out, or a part of it, has ended: so many brackets are closed by it.
    bool skipped(std::size_t closed) {
        depth_ -= closed;
        skipping_ = depth_ > 0;
        return true;
    }

    bool reduced_;
    std::vector<std::size_t> left_out_;  // members of the objects that it is in
    std::size_t lists_ = 0;              // that it is in
    std::string key_;                    // as far as it has come
    std::string top_key_;                // the last one of the value's own
    bool skipping_ = false;
    std::size_t depth_ = 0;  // in the value that is left out
};

/// Remembers the keys of the objects that it is in; finds those that come twice.
class JsonDuplicateFinder {
public:
    static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

    std::vector<Mistake> found;

    bool on_document_begin(boost::json::error_code&) { return true; }
    bool on_document_end(boost::json::error_code&) { return true; }
    bool on_object_begin(boost::json::error_code&) { return open(true); }
    bool on_object_end(std::size_t, boost::json::error_code&) { return close(); }
    bool on_array_begin(boost::json::error_code&) { return open(false); }
    bool on_array_end(std::size_t, boost::json::error_code&) { return close(); }
    bool on_key_part(boost::json::string_view part, std::size_t, boost::json::error_code&) {
        key_.append(part.data(), part.size());
        return true;
    }
    bool on_key(boost::json::string_view part, std::size_t, boost::json::error_code&) {
        key_.append(part.data(), part.size());
        Level& level = levels_.back();
        level.key = std::exchange(key_, {});
        if (!level.keys.insert(level.key).second)
            note();
        return true;
    }
    bool on_string_part(boost::json::string_view, std::size_t, boost::json::error_code&) { return true; }
    bool on_string(boost::json::string_view, std::size_t, boost::json::error_code&) { return next(); }
    bool on_number_part(boost::json::string_view, boost::json::error_code&) { return true; }
    bool on_int64(std::int64_t, boost::json::string_view, boost::json::error_code&) { return next(); }
    bool on_uint64(std::uint64_t, boost::json::string_view, boost::json::error_code&) { return next(); }
    bool on_double(double, boost::json::string_view, boost::json::error_code&) { return next(); }
    bool on_bool(bool, boost::json::error_code&) { return next(); }
    bool on_null(boost::json::error_code&) { return next(); }
    bool on_comment_part(boost::json::string_view, boost::json::error_code&) { return true; }
    bool on_comment(boost::json::string_view, boost::json::error_code&) { return true; }

private:
    struct Level {
        bool object = false;
        std::set<std::string> keys;
        std::string key;
        std::size_t index = 0;
    };

    bool open(bool object) {
        levels_.push_back({object, {}, {}, 0});
        return true;
    }
    bool close() {
        levels_.pop_back();
        return next();
    }
    bool next() {
        if (!levels_.empty())
            ++levels_.back().index;
        return true;
    }
    void note() {
        std::vector<Step> path;
        for (const Level& level : levels_) {
            if (level.object)
                path.emplace_back(level.key);
            else
                path.emplace_back(level.index);
        }
        found.push_back({std::move(path), "duplicate key", false});
    }

    std::vector<Level> levels_;
    std::string key_;
};

}  // namespace api
