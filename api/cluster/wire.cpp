#include "api/cluster/wire.hpp"

#include "api/cluster/wire_formats.hpp"
#include "api/objects/decode.hpp"
#include "api/wire/protobuf_schema.hpp"
#include "base/plain_text.hpp"

namespace api {

std::string_view list_format_of(const std::string& kind) {
    return protobuf_message(kind) == nullptr ? other_format : list_format;
}

std::string_view list_format_of(const std::string& kind, Reading reading) {
    return reading == Reading::objects ? list_format_of(kind) : other_format;
}

static constexpr std::size_t longest_message = 1024;  // bytes of what a server says

// ---- which format it is --------------------------------------------------------------------------------------

ListReader::ListReader(std::string kind, std::function<void(WireObject)> visit, Reading reading)
    : kind_(std::move(kind)), visit_(std::move(visit)), reading_(reading) {}

ListReader::~ListReader() = default;

void ListReader::feed(std::string_view bytes) {
    if (!format_ && !bytes.empty())
        format_ = bytes.front() == protobuf_magic.front() && reading_ == Reading::objects
                      ? protobuf_list(std::move(kind_), std::move(visit_))
                      : json_list(std::move(kind_), std::move(visit_), reading_);
    if (format_)
        format_->feed(bytes);
}

ListReader::End ListReader::finish() {
    return format_ ? format_->finish() : End{{}, {}, "the answer is empty"};
}

WireStatus read_status(std::string_view text) {
    return text.starts_with(protobuf_magic) ? protobuf_status(text) : json_status(text);
}

// ---- what both share -----------------------------------------------------------------------------------------

ListReader::End end_of(const std::string& kind, std::string version, std::string continue_token, bool has_items) {
    if (!kind.ends_with("List"))
        return {{}, {}, "the answer is no list but kind " + base::quoted(kind)};
    ListReader::End end{std::move(version), std::move(continue_token), {}};
    if (end.version.empty() || !has_items)
        end.problem = "the list has no items or no resourceVersion: a gateway's answer, not an API server's?";
    return end;
}

std::string text_at(Value value, std::initializer_list<std::string_view> path) {
    for (const std::string_view key : path)
        value = value.member(key);
    return value.kind() == Value::Kind::text ? value.text() : std::string();
}

static WireObject balanced_service_from(const Value& value) {
    WireObject object;
    auto service = decode_balanced_service(value, object.mistakes);
    if (!service)
        return object;
    object.name = service->name;
    object.version = service->version;
    object.label = "Service " + to_string(service->name);
    object.balanced = std::make_shared<const BalancedService>(std::move(*service));
    return object;
}

WireObject object_from(const Value& value, const std::string& kind, Reading reading) {
    if (reading == Reading::balanced_services)
        return balanced_service_from(value);
    Decoded decoded = decode(value, {kind, {}}, Strictness::server);
    WireObject object{std::move(decoded.name),
                      std::move(decoded.version),
                      {},
                      std::move(decoded.objects),
                      std::move(decoded.mistakes)};
    if (!object.mistakes.empty())
        object.label = std::move(decoded.label);
    return object;
}

WireStatus status_from(const Value& value) {
    WireStatus status{0, base::shortened(text_at(value, {"message"}), longest_message), false};
    if (const Value code = value.member("code"); code.kind() == Value::Kind::integer)
        status.code = static_cast<int>(code.integer());
    if (const Value causes = value.member("details").member("causes"); causes.kind() == Value::Kind::list)
        causes.each_item([&](const Value& cause) {
            status.version_too_large =
                status.version_too_large || text_at(cause, {"reason"}) == "ResourceVersionTooLarge";
        });
    return status;
}

}  // namespace api
