// Events that podferry writes to the API (events.k8s.io/v1), as kube-proxy does: few, and never so many that they
// become a burden. Pure.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

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

/// Why an Event has not been written.
enum class EventLoss : std::uint8_t { too_many, unreachable, forbidden, invalid, other };
inline constexpr std::array<std::string_view, 5> event_losses = {"too_many", "unreachable", "forbidden", "invalid",
                                                                 "other"};
inline std::string_view word(EventLoss loss) {
    return event_losses[static_cast<std::size_t>(loss)];
}
/// What a status of the API server other than 2xx means.
EventLoss loss_of(unsigned status);

/// The namespace that the event goes to: the object's, or "default".
std::string event_space(const EventNote& note);
/// The JSON to post. `node`: who reports. `now`: also makes the name unique. What the API server would refuse for its
/// length is cut (pkg/apis/core/validation/events.go: note 1,024 bytes; reason, action, reportingInstance 128).
std::string event_json(const EventNote& note, const std::string& node, std::chrono::system_clock::time_point now);

/// A bucket of tokens: so many at once, then one in each `refill`.
class Tokens {
public:
    using Time = std::chrono::steady_clock::time_point;
    Tokens(double burst, std::chrono::duration<double> refill) : burst_(burst), refill_(refill), left_(burst) {}

    bool has(Time now);
    void spend() { left_ -= 1; }
    bool is_full(Time now) const;
    Time filled() const { return filled_; }

private:
    void fill(Time now);

    double burst_;
    std::chrono::duration<double> refill_;
    double left_;
    Time filled_;
    bool used_ = false;
};

/// How many Events may be written, so that nobody makes each node of a cluster write thousands: of one object 25 at
/// once, then one every 5 minutes (client-go's spam filter); of one namespace 50, then one a minute; of all namespaces
/// 100, then one every 10 s. Those of the Node itself have only the first limit.
class EventBudget {
public:
    bool spend(const EventNote& note, std::chrono::steady_clock::time_point now);
    std::size_t size() const { return objects_.size() + spaces_.size(); }

private:
    using Buckets = std::map<std::string, Tokens>;
    static Tokens& bucket(Buckets& buckets, const std::string& key, const Tokens& fresh, Tokens::Time now);

    Tokens all_{100, std::chrono::seconds(10)};
    Buckets spaces_;
    Buckets objects_;
};

}  // namespace api
