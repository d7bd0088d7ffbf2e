#include "api/wire/value.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "base/plain_text.hpp"
#include "base/rfc3339.hpp"

namespace api {
namespace {

namespace json = boost::json;
using protozero::pbf_reader;
using protozero::pbf_wire_type;

/// 80.0 and 8e1 are 80: on their way to a server, numbers are written anew (Go's encoding/json).
bool is_whole(double number) {
    constexpr double limit = 9.2e18;
    return number == std::trunc(number) && std::abs(number) < limit;
}

Value::Kind kind_of(const json::value& value) {
    switch (value.kind()) {
        case json::kind::null:
            return Value::Kind::null;
        case json::kind::bool_:
            return Value::Kind::flag;
        case json::kind::int64:
        case json::kind::uint64:
            return Value::Kind::integer;
        case json::kind::double_:
            return is_whole(value.get_double()) ? Value::Kind::integer : Value::Kind::other_number;
        case json::kind::string:
            return Value::Kind::text;
        case json::kind::array:
            return Value::Kind::list;
        case json::kind::object:
            return Value::Kind::object;
    }
    return Value::Kind::absent;
}

}  // namespace

Value::Value(const json::value* value) : json_(value) {
    if (value != nullptr)
        kind_ = kind_of(*value);
}

std::string Value::text() const {
    if (json_ != nullptr)
        return {json_->get_string().data(), json_->get_string().size()};
    return is_time_ ? base::to_rfc3339(time_of(bytes_)) : std::string(bytes_);
}

std::optional<std::chrono::system_clock::time_point> Value::time() const {
    using std::chrono::floor, std::chrono::seconds, std::chrono::system_clock;
    if (!is_time_)
        return base::parse_rfc3339(text());
    return std::clamp(time_of(bytes_), floor<seconds>(system_clock::time_point::min()) + seconds(1),
                      floor<seconds>(system_clock::time_point::max()));
}

bool Value::flag() const {
    return json_ != nullptr ? json_->get_bool() : number_ != 0;
}

std::int64_t Value::integer() const {
    if (json_ == nullptr)
        return number_;
    if (json_->is_double())
        return static_cast<std::int64_t>(json_->get_double());
    return json_->is_int64() ? json_->get_int64() : std::numeric_limits<std::int64_t>::max();
}

std::string Value::description() const {
    switch (kind_) {
        case Kind::object:
            return "an object";
        case Kind::list:
            return "a list";
        case Kind::text: {
            return "the string " + base::quoted(text());
        }
        case Kind::absent:
        case Kind::null:
        case Kind::integer:
        case Kind::flag:
        case Kind::other_number:
            break;
    }
    if (json_ != nullptr)
        return kind_ == Kind::integer && json_->is_double() ? std::to_string(integer()) : json::serialize(*json_);
    return kind_ == Kind::flag ? (number_ != 0 ? "true" : "false") : std::to_string(number_);
}

Value Value::member(std::string_view key) const {
    if (json_ != nullptr) {
        const auto* members = json_->if_object();
        return members == nullptr ? Value() : Value(members->if_contains(json::string_view(key.data(), key.size())));
    }
    return message_ == nullptr ? Value() : protobuf_member(key);
}

std::size_t Value::size() const {
    if (json_ != nullptr)
        return json_->is_array() ? json_->get_array().size() : json_->is_object() ? json_->get_object().size() : 0;
    std::size_t size = 0;
    if (field_ != nullptr)
        for (pbf_reader reader = read(bytes_); reader.next(field_->number); reader.skip())
            ++size;
    return size;
}

// ---- protobuf ------------------------------------------------------------------------------------------------

std::string_view Value::bytes_of(pbf_reader& reader) {
    if (reader.wire_type() != pbf_wire_type::length_delimited)
        throw protozero::unknown_pbf_wire_type_exception{};
    const auto view = reader.get_view();
    return {view.data(), view.size()};
}

std::int64_t Value::number_of(pbf_reader& reader) {
    if (reader.wire_type() != pbf_wire_type::varint)
        throw protozero::unknown_pbf_wire_type_exception{};
    return reader.get_int64();
}

/// metav1.Time: seconds = 1; less than a second is of no use to us.
std::chrono::sys_seconds Value::time_of(std::string_view bytes) {
    std::int64_t seconds = 0;
    for (pbf_reader reader = read(bytes); reader.next(1);)
        seconds = number_of(reader);
    return std::chrono::sys_seconds(std::chrono::seconds(seconds));
}

Value::Value(const ProtobufMessage& message, std::string_view bytes) : bytes_(bytes) {
    become(message);
}

Value::Value(const ProtobufField& field, pbf_reader& occurrence) {
    switch (field.form) {
        case ProtobufForm::integer:
        case ProtobufForm::flag:
            kind_ = field.form == ProtobufForm::flag ? Kind::flag : Kind::integer;
            number_ = number_of(occurrence);
            return;
        case ProtobufForm::time:
            is_time_ = true;
            break;
        case ProtobufForm::message:
            bytes_ = bytes_of(occurrence);
            become(*field.message);
            return;
        case ProtobufForm::int_or_text:
            bytes_ = bytes_of(occurrence);
            become_int_or_text();
            return;
        case ProtobufForm::text:
        case ProtobufForm::map:
            break;
    }
    kind_ = Kind::text;
    bytes_ = bytes_of(occurrence);
}

/// All of a message is passed once: a decoder asks for a dozen members.
void Value::become(const ProtobufMessage& message) {
    kind_ = Kind::object;
    message_ = &message;
    places_.fill(0);
    pbf_reader reader = read(bytes_);
    for (std::size_t offset = 0; reader.next(); offset = bytes_.size() - reader.length()) {
        const auto field = std::ranges::find(message.fields, reader.tag(), &ProtobufField::number);
        reader.skip();
        if (field == message.fields.end())
            continue;
        std::uint32_t& place = places_[static_cast<std::size_t>(field - message.fields.begin())];
        if (place == 0 || !(field->repeated || field->form == ProtobufForm::map))
            place = static_cast<std::uint32_t>(offset) + 1;
    }
}

/// intstr.IntOrString: type = 1 (0: a number), intVal = 2, strVal = 3.
void Value::become_int_or_text() {
    kind_ = Kind::integer;
    std::string_view text;
    for (pbf_reader reader = read(bytes_); reader.next();) {
        if (reader.tag() == 1)
            kind_ = number_of(reader) != 0 ? Kind::text : Kind::integer;
        else if (reader.tag() == 2)
            number_ = number_of(reader);
        else if (reader.tag() == 3)
            text = bytes_of(reader);
        else
            reader.skip();
    }
    bytes_ = text;
}

/// A map's entry: key = 1, value = 2.
Value::Entry Value::entry(std::string_view bytes) {
    Entry entry;
    for (pbf_reader reader = read(bytes); reader.next();) {
        if (reader.tag() == 1)
            entry.key = bytes_of(reader);
        else if (reader.tag() == 2)
            entry.value = bytes_of(reader);
        else
            reader.skip();
    }
    return entry;
}

Value Value::protobuf_member(std::string_view key) const {
    const auto field = std::ranges::find(message_->fields, key, &ProtobufField::name);
    if (field == message_->fields.end() && (key == "kind" || key == "apiVersion"))
        return {};  // what goes without saying, in an item of a list
    if (field == message_->fields.end())
        throw std::logic_error("api/wire/protobuf_schema.cpp has no row for " + std::string(key));
    const auto index = static_cast<std::size_t>(field - message_->fields.begin());
    if (places_[index] == 0)
        return {};
    const std::string_view from = bytes_.substr(places_[index] - 1);
    if (field->repeated || field->form == ProtobufForm::map) {
        Value all(field->repeated ? Kind::list : Kind::object, from);
        all.field_ = &*field;
        return all;
    }
    pbf_reader reader = read(from);
    reader.next();
    Value value(*field, reader);
    // What Go leaves out of JSON: the empty where the field has `omitempty`, and a time that is none.
    const bool empty = value.bytes_.empty() && value.number_ == 0;
    return empty && (field->omit_empty || value.is_time_) ? Value() : value;
}

}  // namespace api
