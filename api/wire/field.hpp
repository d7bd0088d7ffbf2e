// A value inside a decoded document, with the path that leads to it: reads it as the type that the API wants and notes
// what is wrong. Nothing throws; a wrong value reads as its default, and the object is rejected for its mistakes.
#pragma once

#include <boost/json/value.hpp>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "api/wire/value.hpp"

namespace api {

/// One step of a path: a member's name, or an index.
using Step = std::variant<std::string, std::size_t>;

/// Whose text it is. A manifest's is checked as the API server would check it. A server has done that already, by its
/// own rules, which may be older or newer than ours: fields that we do not know and forms that we would not allow pass.
enum class Strictness : std::uint8_t { manifest, server };

struct Mistake {
    std::vector<Step> path;
    std::string message;
    bool warning = false;
};

/// "spec.ports[1].port"; a name with dots in brackets: metadata.labels["app.kubernetes.io/name"].
std::string to_string(const std::vector<Step>& path);

/// "spec.ports[1].port: missing".
std::string to_string(const Mistake& mistake);

class Field {
public:
    Field(const Value& value, std::vector<Mistake>& mistakes, Strictness strictness = Strictness::manifest)
        : value_(value), mistakes_(&mistakes), strictness_(strictness) {}
    Field(const boost::json::value* value, std::vector<Mistake>& mistakes) : Field(Value(value), mistakes) {}

    /// A member. It refers to its parent, which must outlive it.
    Field operator[](std::string_view key) const&;
    Field operator[](std::string_view key) && = delete;

    /// Present and not null.
    bool given() const { return value_.given(); }
    bool is_text() const { return value_.kind() == Value::Kind::text; }
    /// The number 0, which for many fields means the same as absent.
    bool is_zero() const { return value_.kind() == Value::Kind::integer && value_.integer() == 0; }
    /// The value itself, in documents that are only read from JSON.
    const boost::json::value* raw() const { return value_.json(); }
    bool from_server() const { return strictness_ == Strictness::server; }

    /// Calls `visit(const Field&)` for each item of a list.
    template <std::invocable<const Field&> Visit>
    void each(Visit visit) const {
        if (!is_list())
            return;
        std::size_t index = 0;
        value_.each_item([&](const Value& item) { visit(Field(item, this, {}, index++)); });
    }
    /// Calls `visit(std::string_view key, const Field& value)` for each member of an object.
    template <std::invocable<std::string_view, const Field&> Visit>
    void each_member(Visit visit) const {
        if (is_object())
            value_.each_member(
                [&](std::string_view key, const Value& value) { visit(key, Field(value, this, key, no_index)); });
    }

    std::string text(std::string_view otherwise = {}) const;
    /// A moment in RFC 3339; nullopt, without a note, when it is none.
    std::optional<std::chrono::system_clock::time_point> time() const;
    bool flag(bool otherwise) const;
    std::int64_t integer(std::int64_t low, std::int64_t high, std::int64_t otherwise) const;
    /// The place of the text in `words`; the first word when absent or empty, which the API server defaults alike.
    std::size_t one_of(std::initializer_list<std::string_view> words) const;
    std::size_t size() const;

    /// Notes each member that is not among `known`; of a server's object none.
    void only(std::initializer_list<std::string_view> known) const;

    /// The object cannot be used.
    void wrong(std::string message) const { note(std::move(message), false); }
    /// It breaks a rule of the API server: of a server's object it is only said.
    void against_rules(std::string message) const { note(std::move(message), from_server()); }
    /// The same, unless there is nothing to say.
    void check(std::string complaint) const {
        if (!complaint.empty())
            against_rules(std::move(complaint));
    }
    void warn(std::string message) const { note(std::move(message), true); }

private:
    static constexpr std::size_t no_index = static_cast<std::size_t>(-1);
    Field(const Value& value, const Field* parent, std::string_view key, std::size_t index)
        : value_(value),
          mistakes_(parent->mistakes_),
          strictness_(parent->strictness_),
          parent_(parent),
          key_(key),
          index_(index) {}

    bool is_list() const;
    bool is_object() const;
    void note(std::string message, bool warning) const;

    Value value_;
    std::vector<Mistake>* mistakes_;
    Strictness strictness_;
    const Field* parent_ = nullptr;
    std::string_view key_;
    std::size_t index_ = no_index;
};

}  // namespace api
