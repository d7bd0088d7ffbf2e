// A value inside a document, as decoders see it: of JSON, or of a protobuf message, which is read where it lies. What
// is decoded from it, and by which rules, is the same for both (decode.hpp).
#pragma once

#include <array>
#include <boost/json/value.hpp>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <protozero/pbf_reader.hpp>
#include <string>
#include <string_view>

#include "api/wire/protobuf_schema.hpp"

namespace api {

/// It refers to the document, which must outlive it. What reads from protobuf throws protozero::exception where the
/// bytes are no such message.
class Value {
public:
    enum class Kind : std::uint8_t { absent, null, text, integer, flag, other_number, list, object };

    Value() = default;  ///< absent
    Value(const Value& other) { *this = other; }
    Value& operator=(const Value& other);
    ~Value() = default;
    explicit Value(const boost::json::value* value);
    Value(const ProtobufMessage& message, std::string_view bytes);

    Kind kind() const { return kind_; }
    bool given() const { return kind_ > Kind::null; }
    /// nullptr when it is absent, or not of JSON.
    const boost::json::value* json() const { return json_; }

    std::string text() const;         ///< of kind text
    bool flag() const;                ///< of kind flag
    std::int64_t integer() const;     ///< of kind integer; one that is too large for it is the largest
    std::string description() const;  ///< for a message: "the string 'eighty'", "a list", "17"
    /// A text's moment in RFC 3339; nullopt when it is none.
    std::optional<std::chrono::system_clock::time_point> time() const;

    /// An object's member; else absent. A key that the table of a protobuf message does not have is a mistake of the
    /// decoder's author: throws std::logic_error.
    Value member(std::string_view key) const;
    /// How many items a list has, or members an object.
    std::size_t size() const;

    /// Calls `visit(Value)` for each item of a list.
    template <std::invocable<Value> Visit>
    void each_item(Visit visit) const {
        if (json_ != nullptr) {
            for (const boost::json::value& item : json_->get_array())
                visit(Value(&item));
            return;
        }
        for (protozero::pbf_reader reader = read(bytes_); reader.next(field_->number);)
            visit(Value(*field_, reader));
    }

    /// Calls `visit(std::string_view key, Value)` for each member of an object. In protobuf only maps have any to be
    /// listed.
    template <std::invocable<std::string_view, Value> Visit>
    void each_member(Visit visit) const {
        if (json_ != nullptr) {
            for (const auto& member : json_->get_object())
                visit(std::string_view(member.key().data(), member.key().size()), Value(&member.value()));
        } else if (field_ != nullptr) {
            for (protozero::pbf_reader reader = read(bytes_); reader.next(field_->number);) {
                const auto [key, value] = entry(bytes_of(reader));
                visit(key, Value(Kind::text, value));
            }
        }
    }

private:
    struct Entry {
        std::string_view key;
        std::string_view value;
    };

    Value(Kind kind, std::string_view bytes) : kind_(kind), bytes_(bytes) {}
    Value(const ProtobufField& field, protozero::pbf_reader& occurrence);
    static protozero::pbf_reader read(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
    static std::string_view bytes_of(protozero::pbf_reader& reader);
    static std::int64_t number_of(protozero::pbf_reader& reader);
    static std::chrono::sys_seconds time_of(std::string_view bytes);
    static Entry entry(std::string_view bytes);
    void become(const ProtobufMessage& message);
    void become_int_or_text();
    Value protobuf_member(std::string_view key) const;

    Kind kind_ = Kind::absent;
    const boost::json::value* json_ = nullptr;
    // A protobuf message's bytes, or those from the first occurrence of a list or map on.
    std::string_view bytes_;
    std::int64_t number_ = 0;
    bool is_time_ = false;
    const ProtobufField* field_ = nullptr;      // of a list or map
    const ProtobufMessage* message_ = nullptr;  // of a message, and then:
    /// The place of each field of its table, as an offset, beginning with 1; 0: nowhere. A field that comes several
    /// times is at its last place, a list or map at its first. Only messages have it: most values are small, and
    /// decoders copy many.
    std::array<std::uint32_t, most_protobuf_fields> places_;
};

inline Value& Value::operator=(const Value& other) {
    if (this == &other)
        return *this;
    kind_ = other.kind_;
    json_ = other.json_;
    bytes_ = other.bytes_;
    number_ = other.number_;
    is_time_ = other.is_time_;
    field_ = other.field_;
    message_ = other.message_;
    if (message_ != nullptr)
        places_ = other.places_;
    return *this;
}

}  // namespace api
