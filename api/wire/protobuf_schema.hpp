// Which fields of the Kubernetes API's protobuf messages podferry reads: generated.proto of k8s.io/api core/v1 and
// discovery/v1, and of k8s.io/apimachinery meta/v1, v1.37. A number is never given to another field.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace api {

struct ProtobufMessage;

/// What a field is in JSON.
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
    std::string_view name;  ///< in JSON
    ProtobufForm form;
    /// A field that is no pointer in Go is always sent; where it has `omitempty`, JSON has no empty one.
    bool omit_empty = false;
    bool repeated = false;
    const ProtobufMessage* message = nullptr;
};

struct ProtobufMessage {
    std::span<const ProtobufField> fields;  ///< at most most_protobuf_fields
};

inline constexpr std::size_t most_protobuf_fields = 17;

/// The message of an object that is listed: Service, EndpointSlice, Node; else nullptr.
const ProtobufMessage* protobuf_message(std::string_view kind);

extern const ProtobufMessage status_message;  ///< meta/v1 Status
extern const ProtobufMessage list_metadata;   ///< meta/v1 ListMeta
extern const ProtobufMessage type_metadata;   ///< runtime.TypeMeta

}  // namespace api
