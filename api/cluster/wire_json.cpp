// The wire format JSON.
#include <algorithm>
#include <boost/json/parse.hpp>
#include <optional>

#include "api/cluster/wire_formats.hpp"
#include "api/wire/json_items.hpp"

namespace api {
namespace {

namespace json = boost::json;

constexpr std::size_t longest_item = std::size_t{32} * 1024 * 1024;  // etcd stores 1.5 MiB
constexpr std::size_t longest_event = longest_item;
constexpr std::size_t longest_envelope = std::size_t{1} * 1024 * 1024;  // of a list, without its items

// ---- lists ---------------------------------------------------------------------------------------------------

/// Each item is decoded where it passes by, so that the work is done while the server is still sending.
class JsonList : public ListFormat {
public:
    JsonList(std::string kind, std::function<void(WireObject)> visit, Reading reading)
        : kind_(std::move(kind)), visit_(std::move(visit)), reading_(reading) {}

    void feed(std::string_view bytes) override { items_.feed(bytes); }

    ListReader::End finish() override {
        if (const JsonItemsError error = items_.finish(); !error.message.empty())
            return {{}, {}, "the list is cut off or broken: " + error.message};
        return end_ ? std::move(*end_) : ListReader::End{{}, {}, "the answer is empty"};
    }

private:
    void note(const JsonItem& item) {
        const Value value(&item.value);
        if (item.kind == JsonItem::Kind::item)
            visit_(object_from(value, kind_, reading_));
        else
            end_ =
                end_of(text_at(value, {"kind"}), text_at(value, {"metadata", "resourceVersion"}),
                       text_at(value, {"metadata", "continue"}), value.member("items").kind() != Value::Kind::absent);
    }

    std::string kind_;
    std::function<void(WireObject)> visit_;
    Reading reading_;
    std::optional<ListReader::End> end_;
    JsonItems items_{{true, longest_item, longest_envelope}, [this](const JsonItem& item) { note(item); }};
};

}  // namespace

std::unique_ptr<ListFormat> json_list(std::string kind, std::function<void(WireObject)> visit, Reading reading) {
    return std::make_unique<JsonList>(std::move(kind), std::move(visit), reading);
}

// ---- watches -------------------------------------------------------------------------------------------------

std::string EventReader::feed(std::string_view bytes) {
    for (auto end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
        std::string problem;
        if (rest_.empty()) {
            problem = line(bytes.substr(0, end));
        } else {
            rest_ += bytes.substr(0, end);
            problem = line(rest_);
            rest_.clear();
        }
        if (!problem.empty())
            return problem;
        bytes.remove_prefix(end + 1);
    }
    rest_ += bytes;
    return rest_.size() > longest_event ? "an event has no end" : "";
}

std::string EventReader::line(std::string_view text) {
    static constexpr std::string_view types[] = {"ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"};
    if (text.find_first_not_of(" \t\r") == std::string_view::npos)
        return {};
    json::error_code error;
    const json::value value = json::parse(json::string_view(text.data(), text.size()), error);
    if (error)
        return "an event is broken: " + error.message();
    const auto* members = value.if_object();
    const auto* object = members == nullptr ? nullptr : members->if_contains("object");
    const auto* type = std::find(std::begin(types), std::end(types), text_at(Value(&value), {"type"}));
    if (object == nullptr || type == std::end(types))
        return "what came on the watch is no event";
    WatchEvent event;
    event.type = static_cast<EventType>(type - std::begin(types));
    switch (event.type) {
        case EventType::added:
        case EventType::modified:
        case EventType::deleted:
            event.object = object_from(Value(object), {}, reading_);
            break;
        case EventType::bookmark:
            event.object.version = text_at(Value(object), {"metadata", "resourceVersion"});
            break;
        case EventType::error:
            event.status = status_from(Value(object));
            break;
    }
    visit_(std::move(event));
    return {};
}

WireStatus json_status(std::string_view text) {
    json::error_code error;
    const json::value value = json::parse(json::string_view(text.data(), text.size()), error);
    if (!error && text_at(Value(&value), {"kind"}) == "Status")
        return status_from(Value(&value));
    constexpr std::size_t shown = 200;
    return {0, std::string(text.substr(0, std::min(text.find('\n'), shown))), false};
}

}  // namespace api
