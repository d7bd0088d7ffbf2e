// The two formats behind wire.hpp, and what they share.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "api/cluster/wire.hpp"
#include "api/wire/value.hpp"

namespace api {

/// What protobuf answers begin with (apimachinery runtime/serializer/protobuf); no JSON does.
inline constexpr std::string_view protobuf_magic{"k8s\0", 4};

class ListFormat {
public:
    virtual ~ListFormat() = default;
    virtual void feed(std::string_view bytes) = 0;
    virtual ListReader::End finish() = 0;
};

std::unique_ptr<ListFormat> json_list(std::string kind, std::function<void(WireObject)> visit, Reading reading);
std::unique_ptr<ListFormat> protobuf_list(std::string kind, std::function<void(WireObject)> visit);

/// What an answer says that has come whole.
ListReader::End end_of(const std::string& kind, std::string version, std::string continue_token, bool has_items);

WireStatus json_status(std::string_view text);
WireStatus protobuf_status(std::string_view bytes);

/// A text inside nested objects; empty when there is none.
std::string text_at(Value value, std::initializer_list<std::string_view> path);
/// `kind`: where the object does not say it itself.
WireObject object_from(const Value& value, const std::string& kind, Reading reading = Reading::objects);
WireStatus status_from(const Value& value);

}  // namespace api
