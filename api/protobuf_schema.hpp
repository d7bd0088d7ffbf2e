// Numbers of the fields that podferry reads: generated.proto of k8s.io/api core/v1 and discovery/v1, and of
// k8s.io/apimachinery meta/v1, v1.37. A number is never given to another field.
#pragma once

#include <string_view>

#include "api/protobuf.hpp"

namespace api {

/// Of the objects that are listed: Service, EndpointSlice, Node; else nullptr.
const ProtobufMessage* protobuf_message(std::string_view kind);

extern const ProtobufMessage status_message;  ///< meta/v1 Status

}  // namespace api
