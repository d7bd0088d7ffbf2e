#include "api/wire/field.hpp"

#include <algorithm>

#include "base/overloaded.hpp"
#include "base/plain_text.hpp"
#include "base/spelling.hpp"

namespace api {

static const std::string not_an_object = "must be an object, not ";

static constexpr std::size_t longest_step = 320;  // bytes: a label's key has 317

std::string to_string(const std::vector<Step>& path) {
    std::string text;
    const base::overloaded append{[&](std::size_t index) { text += "[" + std::to_string(index) + "]"; },
                                  [&](const std::string& name) {
                                      const std::string shown = base::shortened(name, longest_step);
                                      if (name.find_first_of("./[]") != std::string::npos)
                                          text += "[\"" + shown + "\"]";
                                      else
                                          text += (text.empty() ? "" : ".") + shown;
                                  }};
    for (const Step& step : path)
        std::visit(append, step);
    return text;
}

std::string to_string(const Mistake& mistake) {
    const std::string path = to_string(mistake.path);
    return path + (path.empty() ? "" : ": ") + mistake.message;
}

Field Field::operator[](std::string_view key) const& {
    return Field(is_object() ? value_.member(key) : Value(), this, key, no_index);
}

bool Field::is_object() const {
    if (!given() || value_.kind() == Value::Kind::object)
        return given();
    if (mistakes_->empty() || !mistakes_->back().message.starts_with(not_an_object))
        wrong(not_an_object + value_.description());  // once, at the first member that is asked for
    return false;
}

bool Field::is_list() const {
    if (!given() || value_.kind() == Value::Kind::list)
        return given();
    wrong("must be a list, not " + value_.description());
    return false;
}

std::string Field::text(std::string_view otherwise) const {
    if (!given())
        return std::string(otherwise);
    const Value::Kind kind = value_.kind();
    if (kind == Value::Kind::text)
        return value_.text();
    const bool scalar = kind != Value::Kind::list && kind != Value::Kind::object;
    wrong("must be a string, not " + value_.description() + (scalar ? "; put it in quotes" : ""));
    return std::string(otherwise);
}

std::optional<std::chrono::system_clock::time_point> Field::time() const {
    return value_.kind() == Value::Kind::text ? value_.time() : std::nullopt;
}

bool Field::flag(bool otherwise) const {
    if (!given())
        return otherwise;
    if (value_.kind() == Value::Kind::flag)
        return value_.flag();
    wrong("must be true or false, not " + value_.description());
    return otherwise;
}

std::int64_t Field::integer(std::int64_t low, std::int64_t high, std::int64_t otherwise) const {
    if (!given())
        return otherwise;
    if (value_.kind() != Value::Kind::integer) {
        wrong("must be a whole number, not " + value_.description());
        return otherwise;
    }
    const std::int64_t number = value_.integer();
    if (number < low || number > high) {
        wrong(value_.description() + " is out of range (" + std::to_string(low) + ".." + std::to_string(high) + ")");
        return otherwise;
    }
    return number;
}

std::size_t Field::one_of(std::initializer_list<std::string_view> words) const {
    if (!given())
        return 0;
    const std::string word = text();
    if (word.empty() && is_text())
        return 0;
    const auto found = std::find(words.begin(), words.end(), word);
    if (found != words.end())
        return static_cast<std::size_t>(found - words.begin());
    std::string list;
    for (const std::string_view allowed : words)
        list += (list.empty() ? "" : ", ") + std::string(allowed);
    wrong(base::quoted(word) + " is not one of " + list);
    return 0;
}

std::size_t Field::size() const {
    return given() ? value_.size() : 0;
}

void Field::only(std::initializer_list<std::string_view> known) const {
    if (from_server())
        return;
    each_member([&](std::string_view key, const Field& member) {
        if (std::find(known.begin(), known.end(), key) == known.end())
            member.wrong("unknown field" + base::did_you_mean(key, known));
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
