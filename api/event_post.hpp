// Events that podferry writes to the API (events.k8s.io/v1), as kube-proxy does: few, and never so many that they
// become a burden. Pure.
#pragma once

#include <chrono>
#include <string>

namespace api {

struct EventNote {
    std::string reason;   ///< "Starting"
    std::string message;  ///< for people
    bool warning = false;
    std::string kind;  ///< of what it is about: "Node"
    std::string name;
    std::string space;  ///< empty for a Node
    std::string uid;    ///< empty: unknown
};

inline constexpr const char* events_path = "/apis/events.k8s.io/v1/namespaces/";

/// The namespace that the event goes to: the object's, or "default".
std::string event_space(const EventNote& note);
/// The JSON to post. `node`: who reports. `now`: also makes the name unique.
std::string event_json(const EventNote& note, const std::string& node, std::chrono::system_clock::time_point now);

/// 25 at once, then one every 5 minutes (client-go's spam filter).
class EventBudget {
public:
    bool take(std::chrono::steady_clock::time_point now);

private:
    static constexpr double burst = 25;
    static constexpr std::chrono::duration<double> refill{300};
    double left_ = burst;
    std::chrono::steady_clock::time_point filled_;
    bool used_ = false;
};

}  // namespace api
