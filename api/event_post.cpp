#include "api/event_post.hpp"

#include <fmt/chrono.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace api {

std::string event_space(const EventNote& note) {
    return note.space.empty() ? "default" : note.space;
}

std::string event_json(const EventNote& note, const std::string& node, std::chrono::system_clock::time_point now) {
    const auto since_epoch = now.time_since_epoch();
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(since_epoch).count();
    const std::string time = fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z",
                                         fmt::gmtime(std::chrono::system_clock::to_time_t(now)), micros % 1'000'000);
    boost::json::object regarding{{"kind", note.kind}, {"name", note.name}};
    regarding["apiVersion"] = "v1";
    if (!note.space.empty())
        regarding["namespace"] = note.space;
    if (!note.uid.empty())
        regarding["uid"] = note.uid;
    const boost::json::object event{
        {"apiVersion", "events.k8s.io/v1"},
        {"kind", "Event"},
        {"metadata", {{"name", fmt::format("{}.{:x}", note.name, micros)}, {"namespace", event_space(note)}}},
        {"eventTime", time},
        {"reportingController", "podferry"},
        {"reportingInstance", "podferry-" + node},
        {"action", note.reason},
        {"reason", note.reason},
        {"regarding", regarding},
        {"note", note.message},
        {"type", note.warning ? "Warning" : "Normal"}};
    return boost::json::serialize(event);
}

bool EventBudget::take(std::chrono::steady_clock::time_point now) {
    if (!used_)
        filled_ = now;
    used_ = true;
    left_ = std::min(burst, left_ + (now - filled_) / refill);
    filled_ = now;
    if (left_ < 1)
        return false;
    left_ -= 1;
    return true;
}

}  // namespace api
