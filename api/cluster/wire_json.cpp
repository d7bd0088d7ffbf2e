// The wire format JSON.
#include <array>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>

#include "api/cluster/wire_formats.hpp"
#include "api/wire/json_handlers.hpp"

namespace api {
namespace {

namespace json = boost::json;

constexpr std::size_t arena_size = std::size_t{64} * 1024;           // more than most objects need
constexpr std::size_t longest_item = std::size_t{32} * 1024 * 1024;  // etcd takes 1.5 MiB
constexpr std::size_t longest_event = longest_item;
constexpr std::size_t longest_envelope = std::size_t{1} * 1024 * 1024;  // of a list, without its items

// ---- lists ---------------------------------------------------------------------------------------------------

/// The text around the items is collected; each item is parsed where it passes by, so that the work is done while the
/// server is still sending, and no more than one item is held as a tree.
class JsonList : public ListFormat {
public:
    JsonList(std::string kind, std::function<void(WireObject)> visit)
        : kind_(std::move(kind)), visit_(std::move(visit)), resource_(arena_.data(), arena_.size()) {}

    void feed(std::string_view bytes) override {
        while (!bytes.empty() && problem_.empty())
            bytes.remove_prefix(place_ == Place::envelope ? envelope(bytes)
                                : place_ == Place::items  ? between_items(bytes)
                                                          : item(bytes));
    }

    ListReader::End finish() override {
        if (!problem_.empty())
            return {{}, {}, problem_};
        json::error_code error;
        const json::value value = json::parse(envelope_, error);
        if (error || place_ != Place::envelope)
            return {{}, {}, "the list is cut off or no JSON" + (error ? ": " + error.message() : "")};
        const Value list(&value);
        return end_of(text_at(list, {"kind"}), text_at(list, {"metadata", "resourceVersion"}),
                      text_at(list, {"metadata", "continue"}), list.member("items").kind() != Value::Kind::absent);
    }

private:
    enum class Place { envelope, items, item };

    /// Up to the list of items, or to the end.
    std::size_t envelope(std::string_view bytes) {
        std::size_t used = 0;
        while (used < bytes.size() && place_ == Place::envelope)
            take_envelope(bytes[used++]);
        if (envelope_.size() > longest_envelope)
            problem_ = "the answer is no list of Kubernetes objects";
        return used;
    }

    void take_envelope(char c) {
        envelope_ += c;
        if (in_text_) {
            if (c == '"' && !escaped_)
                in_text_ = false;
            else
                text_ += c;
            escaped_ = c == '\\' && !escaped_;
            return;
        }
        if (c == '"') {
            in_text_ = true;
            text_.clear();
        } else if (c == '[' && depth_ == 1 && text_ == "items") {
            place_ = Place::items;
        } else if (c == '{' || c == '[') {
            ++depth_;
        } else if (c == '}' || c == ']') {
            --depth_;
        }
    }

    std::size_t between_items(std::string_view bytes) {
        const char c = bytes.front();
        if (c == '{') {
            parser_.reset();
            parser_.handler().stack.reset(&resource_);
            place_ = Place::item;
            item_size_ = 0;
            return 0;
        }
        if (c == ']') {
            envelope_ += c;
            text_.clear();
            place_ = Place::envelope;
        } else if (std::string_view(", \t\r\n").find(c) == std::string_view::npos) {
            problem_ = "the list of items is broken";
        }
        return 1;
    }

    std::size_t item(std::string_view bytes) {
        json::error_code error;
        const std::size_t used = parser_.write_some(true, bytes.data(), bytes.size(), error);
        if (error) {
            problem_ = "an item of the list is broken: " + error.message();
            return used;
        }
        item_size_ += used;
        if (item_size_ > longest_item)
            problem_ = "an item of the list has no end";
        if (!parser_.done())
            return used;
        {
            const json::value value = parser_.handler().stack.release();
            visit_(object_from(Value(&value), kind_));
        }
        resource_.release();
        place_ = Place::items;
        return used;
    }

    std::string kind_;
    std::function<void(WireObject)> visit_;
    std::array<unsigned char, arena_size> arena_{};
    json::monotonic_resource resource_;
    json::basic_parser<JsonReducer> parser_{json::parse_options{}};
    Place place_ = Place::envelope;
    std::size_t item_size_ = 0;
    std::string envelope_;
    std::string text_;  // the last one in the envelope
    bool in_text_ = false;
    bool escaped_ = false;
    int depth_ = 0;
    std::string problem_;
};

}  // namespace

std::unique_ptr<ListFormat> json_list(std::string kind, std::function<void(WireObject)> visit) {
    return std::make_unique<JsonList>(std::move(kind), std::move(visit));
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
            event.object = object_from(Value(object), {});
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
