#include "api/field.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <limits>

#include "api/spelling.hpp"

namespace api {
namespace {

/// What the value is, for a message: "the text 'eighty'", "a list".
std::string description(const boost::json::value& value) {
    switch (value.kind()) {
        case boost::json::kind::object:
            return "an object";
        case boost::json::kind::array:
            return "a list";
        case boost::json::kind::string: {
            const std::string_view text(value.get_string().data(), value.get_string().size());
            return "the text '" + std::string(text.substr(0, 60)) + (text.size() > 60 ? "...'" : "'");
        }
        default:
            return boost::json::serialize(value);
    }
}

}  // namespace

std::string to_string(const std::vector<Step>& path) {
    std::string text;
    for (const Step& step : path) {
        if (const auto* index = std::get_if<std::size_t>(&step)) {
            text += "[" + std::to_string(*index) + "]";
            continue;
        }
        const std::string& name = std::get<std::string>(step);
        if (name.find_first_of("./[]") != std::string::npos)
            text += "[\"" + name + "\"]";
        else
            text += (text.empty() ? "" : ".") + name;
    }
    return text;
}

std::string did_you_mean(std::string_view name, std::initializer_list<std::string_view> known) {
    const auto nearest = std::min_element(known.begin(), known.end(), [&](std::string_view a, std::string_view b) {
        return edit_distance(name, a) < edit_distance(name, b);
    });
    if (nearest == known.end() || edit_distance(name, *nearest) > std::max<std::size_t>(1, name.size() / 3))
        return {};
    return "; did you mean '" + std::string(*nearest) + "'?";
}

Field Field::operator[](std::string_view key) const& {
    const boost::json::value* member = nullptr;
    if (const auto* members = object())
        member = members->if_contains(boost::json::string_view(key.data(), key.size()));
    return Field(member, this, key, no_index);
}

const boost::json::object* Field::object() const {
    if (!given())
        return nullptr;
    if (const auto* members = value_->if_object())
        return members;
    if (!mistakes_->empty() && mistakes_->back().message.ends_with("where an object belongs"))
        return nullptr;  // said already, at the first member that was asked for
    wrong(description(*value_) + " where an object belongs");
    return nullptr;
}

const boost::json::array* Field::list() const {
    if (!given())
        return nullptr;
    if (const auto* items = value_->if_array())
        return items;
    wrong(description(*value_) + " where a list belongs");
    return nullptr;
}

std::string Field::text(std::string_view otherwise) const {
    if (!given())
        return std::string(otherwise);
    if (const auto* text = value_->if_string())
        return std::string(text->data(), text->size());
    const bool scalar = value_->is_bool() || value_->is_number();
    wrong(description(*value_) + " where a text belongs" + (scalar ? "; put it in quotes" : ""));
    return std::string(otherwise);
}

bool Field::flag(bool otherwise) const {
    if (!given())
        return otherwise;
    if (const auto* flag = value_->if_bool())
        return *flag;
    wrong(description(*value_) + " where true or false belongs");
    return otherwise;
}

std::int64_t Field::integer(std::int64_t low, std::int64_t high, std::int64_t otherwise) const {
    if (!given())
        return otherwise;
    std::int64_t number = 0;
    if (const auto* integer = value_->if_int64()) {
        number = *integer;
    } else if (value_->is_uint64()) {
        number = std::numeric_limits<std::int64_t>::max();
    } else {
        wrong(description(*value_) + " where a whole number belongs");
        return otherwise;
    }
    if (number < low || number > high) {
        wrong(boost::json::serialize(*value_) + " is out of range (" + std::to_string(low) + ".." +
              std::to_string(high) + ")");
        return otherwise;
    }
    return number;
}

std::size_t Field::one_of(std::initializer_list<std::string_view> words) const {
    if (!given())
        return 0;
    const std::string word = text();
    const auto found = std::find(words.begin(), words.end(), word);
    if (found != words.end())
        return static_cast<std::size_t>(found - words.begin());
    std::string list;
    for (const std::string_view allowed : words)
        list += (list.empty() ? "" : ", ") + std::string(allowed);
    wrong("'" + word + "' is not one of " + list);
    return 0;
}

std::size_t Field::size() const {
    if (!given())
        return 0;
    if (const auto* items = value_->if_array())
        return items->size();
    const auto* members = value_->if_object();
    return members == nullptr ? 0 : members->size();
}

void Field::only(std::initializer_list<std::string_view> known) const {
    if (from_server())
        return;
    each_member([&](std::string_view key, const Field& member) {
        if (std::find(known.begin(), known.end(), key) == known.end())
            member.wrong("unknown field" + did_you_mean(key, known));
    });
}

void Field::note(std::string message, bool warning) const {
    std::vector<Step> path;
    for (const Field* field = this; field->parent_ != nullptr; field = field->parent_) {
        if (field->index_ != no_index)
            path.emplace_back(field->index_);
        else
            path.emplace_back(std::string(field->key_));
    }
    std::reverse(path.begin(), path.end());
    mistakes_->push_back({std::move(path), std::move(message), warning});
}

}  // namespace api
