#include "api/protobuf.hpp"

#include <chrono>
#include <protozero/pbf_reader.hpp>
#include <utility>

#include "api/rfc3339.hpp"

namespace api {
namespace {

namespace json = boost::json;
using protozero::pbf_reader;
using protozero::pbf_wire_type;

json::string_view json_view(std::string_view text) {
    return {text.data(), text.size()};
}

void expect(const pbf_reader& reader, pbf_wire_type type) {
    if (reader.wire_type() != type)
        throw protozero::unknown_pbf_wire_type_exception{};
}

std::string_view bytes_of(pbf_reader& reader) {
    expect(reader, pbf_wire_type::length_delimited);
    const auto view = reader.get_view();
    return {view.data(), view.size()};
}

std::int64_t number_of(pbf_reader& reader) {
    expect(reader, pbf_wire_type::varint);
    return reader.get_int64();
}

/// metav1.Time: seconds = 1; less than a second is of no use to us. An empty one is none.
json::value time_of(std::string_view bytes, const json::storage_ptr& storage) {
    if (bytes.empty())
        return nullptr;
    std::int64_t seconds = 0;
    for (pbf_reader reader(bytes.data(), bytes.size()); reader.next();)
        if (reader.tag() == 1)
            seconds = number_of(reader);
        else
            reader.skip();
    const std::string text = to_rfc3339(std::chrono::sys_seconds(std::chrono::seconds(seconds)));
    return json::value(json_view(text), storage);
}

/// intstr.IntOrString: type = 1 (0: a number), intVal = 2, strVal = 3.
json::value int_or_text(std::string_view bytes, const json::storage_ptr& storage) {
    bool is_text = false;
    std::int64_t number = 0;
    std::string_view text = "";
    for (pbf_reader reader(bytes.data(), bytes.size()); reader.next();) {
        if (reader.tag() == 1)
            is_text = number_of(reader) != 0;
        else if (reader.tag() == 2)
            number = number_of(reader);
        else if (reader.tag() == 3)
            text = bytes_of(reader);
        else
            reader.skip();
    }
    return is_text ? json::value(json_view(text), storage) : json::value(number, storage);
}

/// An entry of a map: key = 1, value = 2.
void add_entry(json::value& map, std::string_view bytes) {
    std::string_view key = "";  // Boost.JSON wants no null pointer
    std::string_view value = "";
    for (pbf_reader reader(bytes.data(), bytes.size()); reader.next();) {
        if (reader.tag() == 1)
            key = bytes_of(reader);
        else if (reader.tag() == 2)
            value = bytes_of(reader);
        else
            reader.skip();
    }
    map.as_object()[json_view(key)] = json_view(value);
}

json::value read(pbf_reader& reader, const ProtobufField& field, const json::storage_ptr& storage) {
    switch (field.form) {
        case ProtobufForm::integer:
            return json::value(number_of(reader), storage);
        case ProtobufForm::flag:
            return json::value(number_of(reader) != 0, storage);
        case ProtobufForm::time:
            return time_of(bytes_of(reader), storage);
        case ProtobufForm::int_or_text:
            return int_or_text(bytes_of(reader), storage);
        case ProtobufForm::message:
            return to_json(bytes_of(reader), *field.message, storage);
        case ProtobufForm::text:
        case ProtobufForm::map:
            break;
    }
    return json::value(json_view(bytes_of(reader)), storage);
}

bool is_empty(const json::value& value) {
    return (value.is_string() && value.get_string().empty()) || (value.is_int64() && value.get_int64() == 0) ||
           (value.is_bool() && !value.get_bool());
}

void add(json::object& object, const ProtobufField& field, pbf_reader& reader) {
    const json::storage_ptr& storage = object.storage();
    if (field.form == ProtobufForm::map) {
        json::value& map = object[json_view(field.name)];
        if (map.is_null())
            map = json::object(storage);
        add_entry(map, bytes_of(reader));
        return;
    }
    json::value value = read(reader, field, storage);
    if (field.repeated) {
        json::value& list = object[json_view(field.name)];
        if (list.is_null())
            list = json::array(storage);
        list.get_array().push_back(std::move(value));
    } else if (!field.omit_empty || !is_empty(value)) {
        object.insert_or_assign(json_view(field.name), std::move(value));
    }
}

}  // namespace

json::value to_json(std::string_view bytes, const ProtobufMessage& message, json::storage_ptr storage) {
    json::object object(std::move(storage));
    object.reserve(message.fields.size());
    for (pbf_reader reader(bytes.data(), bytes.size()); reader.next();) {
        const auto field = std::ranges::find(message.fields, reader.tag(), &ProtobufField::number);
        if (field == message.fields.end())
            reader.skip();
        else
            add(object, *field, reader);
    }
    return object;
}

}  // namespace api
