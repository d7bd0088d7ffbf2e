#include "api/wire.hpp"

#include "api/decode.hpp"
#include "api/wire_formats.hpp"

namespace api {

namespace json = boost::json;

// ---- which format it is --------------------------------------------------------------------------------------

class ListReader::Impl {
public:
    Impl(std::string kind, std::function<void(WireObject)> visit) : kind_(std::move(kind)), visit_(std::move(visit)) {}

    void feed(std::string_view bytes) {
        if (!format_ && !bytes.empty())
            format_ = bytes.front() == protobuf_magic.front() ? protobuf_list(std::move(kind_), std::move(visit_))
                                                              : json_list(std::move(kind_), std::move(visit_));
        if (format_)
            format_->feed(bytes);
    }

    End finish() { return format_ ? format_->finish() : End{{}, {}, "the answer is empty"}; }

private:
    std::string kind_;
    std::function<void(WireObject)> visit_;
    std::unique_ptr<ListFormat> format_;
};

ListReader::ListReader(std::string kind, std::function<void(WireObject)> visit)
    : impl_(std::make_unique<Impl>(std::move(kind), std::move(visit))) {}

ListReader::~ListReader() = default;

void ListReader::feed(std::string_view bytes) {
    impl_->feed(bytes);
}

ListReader::End ListReader::finish() {
    return impl_->finish();
}

WireStatus read_status(std::string_view text) {
    return text.starts_with(protobuf_magic) ? protobuf_status(text) : json_status(text);
}

// ---- what both share -----------------------------------------------------------------------------------------

std::string text_at(const json::value& value, std::initializer_list<std::string_view> path) {
    const json::value* at = &value;
    for (const std::string_view key : path) {
        const auto* object = at->if_object();
        at = object == nullptr ? nullptr : object->if_contains(json::string_view(key.data(), key.size()));
        if (at == nullptr)
            return {};
    }
    const auto* text = at->if_string();
    return text == nullptr ? std::string() : std::string(text->data(), text->size());
}

WireObject object_from(const json::value& value, const std::string& kind) {
    Decoded decoded = decode(value, kind, Strictness::server);
    WireObject object{std::move(decoded.name),
                      text_at(value, {"metadata", "resourceVersion"}),
                      {},
                      std::move(decoded.objects),
                      std::move(decoded.mistakes)};
    if (!object.mistakes.empty())
        object.label = std::move(decoded.label);
    return object;
}

WireStatus status_from(const json::value& value) {
    WireStatus status{0, text_at(value, {"message"}), false};
    const auto* object = value.if_object();
    const auto* code = object == nullptr ? nullptr : object->if_contains("code");
    if (code != nullptr && code->is_int64())
        status.code = static_cast<int>(code->get_int64());
    const auto* details = object == nullptr ? nullptr : object->if_contains("details");
    const auto* causes =
        details != nullptr && details->is_object() ? details->get_object().if_contains("causes") : nullptr;
    if (causes != nullptr && causes->is_array())
        for (const json::value& cause : causes->get_array())
            status.version_too_large =
                status.version_too_large || text_at(cause, {"reason"}) == "ResourceVersionTooLarge";
    return status;
}

}  // namespace api
