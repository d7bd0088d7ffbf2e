// Protobuf messages of the Kubernetes API as the JSON values that they stand for: what is decoded, and which rules
// hold, stands in one place for both formats (decode.hpp). Which fields there are, and their numbers:
// protobuf_schema.hpp.
#pragma once

#include <boost/json/storage_ptr.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <span>
#include <string_view>

namespace api {

struct ProtobufMessage;

/// How a field is written in JSON.
enum class ProtobufForm : std::uint8_t {
    text,
    integer,
    flag,
    time,         ///< metav1.Time: RFC 3339
    int_or_text,  ///< intstr.IntOrString: a number or a text
    message,
    map  ///< of texts to texts
};

struct ProtobufField {
    std::uint32_t number;
    std::string_view name;
    ProtobufForm form;
    /// A field that is no pointer in Go is always sent; where it has `omitempty`, JSON has no empty one.
    bool omit_empty = false;
    bool repeated = false;
    const ProtobufMessage* message = nullptr;
};

struct ProtobufMessage {
    std::span<const ProtobufField> fields;  ///< the others are skipped
};

/// The value lives in `storage`. Throws protozero::exception when the bytes are no such message.
boost::json::value to_json(std::string_view bytes, const ProtobufMessage& message, boost::json::storage_ptr storage);

}  // namespace api
