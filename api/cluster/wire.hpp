// What an API server writes, decoded: the one boundary behind which wire formats are known. Lists come in protobuf, as
// kube-proxy asks for them: who manages which fields is half of their text, and is skipped unread there. Events are few
// and come in JSON, line by line. Pure: bytes in, values out.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/objects/balanced_service.hpp"
#include "api/objects/types.hpp"
#include "api/wire/field.hpp"

namespace api {

/// The Accept header of requests for lists of what is read in protobuf, and of all others.
inline constexpr std::string_view list_format = "application/vnd.kubernetes.protobuf, application/json";
inline constexpr std::string_view other_format = "application/json";
/// The value of `Accept` in requests for lists of that kind.
std::string_view list_format_of(const std::string& kind);

/// What is made of an object.
enum class Reading : std::uint8_t {
    objects,           ///< what the service proxy knows of it
    balanced_services  ///< what a load balancer's controller knows of a Service; in JSON only
};
/// The same for lists that are read so.
std::string_view list_format_of(const std::string& kind, Reading reading);

/// One object as the server sent it. `objects` is empty when it cannot be used; `mistakes` then says why, by field.
struct WireObject {
    ObjectName name;
    std::string version;  ///< metadata.resourceVersion
    std::string label;    ///< "Service shop/web", where there are mistakes
    std::vector<Object> objects;
    std::vector<Mistake> mistakes;
    std::shared_ptr<const BalancedService> balanced{};  ///< of that reading, in place of `objects`
};

/// A Status object: what the server says of a request that it did not fulfil.
struct WireStatus {
    int code = 0;
    std::string message;
    bool version_too_large = false;  ///< of a cause: the server's cache is older than what was asked for
};

class ListFormat;

/// Reads a list while it arrives, object by object; in which format, its first byte says.
class ListReader {
public:
    /// `kind`: of the items, which do not say it themselves ("Service").
    ListReader(std::string kind, std::function<void(WireObject)> visit, Reading reading = Reading::objects);
    ~ListReader();

    void feed(std::string_view bytes);

    struct End {
        std::string version;         ///< metadata.resourceVersion of the list
        std::string continue_token;  ///< empty: this was the last page
        std::string problem;         ///< not empty: it was cut off or is no list; nothing of it should be used
    };
    End finish();

private:
    std::string kind_;
    std::function<void(WireObject)> visit_;
    Reading reading_;
    std::unique_ptr<ListFormat> format_;
};

enum class EventType { added, modified, deleted, bookmark, error };

struct WatchEvent {
    EventType type = EventType::bookmark;
    WireObject object;  ///< of a bookmark: its version only
    WireStatus status;  ///< of an error
};

/// Reads a watch, event by event.
class EventReader {
public:
    explicit EventReader(std::function<void(WatchEvent)> visit, Reading reading = Reading::objects)
        : visit_(std::move(visit)), reading_(reading) {}

    /// A text says that what came is no event, and the watch is of no use any more; empty: all is well.
    std::string feed(std::string_view bytes);

private:
    std::string line(std::string_view text);

    std::function<void(WatchEvent)> visit_;
    Reading reading_;
    std::string rest_;
};

/// Reads an answer that is no success; a text that is no Status reads as its first words.
WireStatus read_status(std::string_view text);

}  // namespace api
