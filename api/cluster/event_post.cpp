#include "api/cluster/event_post.hpp"

#include <fmt/chrono.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/plain_text.hpp"

namespace api {
namespace {

constexpr std::size_t longest_note = 1024;  // bytes
constexpr std::size_t longest_word = 128;   // of reason, action, reportingInstance
constexpr std::size_t longest_name = 253;   // of a DNS subdomain
constexpr std::size_t most_buckets = 2048;

/// A name of its own for the event, and still a DNS subdomain.
std::string event_name(const EventNote& note, long micros) {
    const std::string end = fmt::format(".{:x}", micros);
    std::string name(base::cut(note.name, longest_name - end.size()));
    name.erase(name.find_last_not_of(".-") + 1);
    return name + end;
}

}  // namespace

EventLoss loss_of(unsigned status) {
    switch (status) {
        case 401:
        case 403:
            return EventLoss::forbidden;
        case 400:
        case 413:
        case 422:
            return EventLoss::invalid;
        default:
            return EventLoss::other;
    }
}

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
    const std::string reason(base::cut(note.reason, longest_word));
    const std::string reporter = "podferry-" + node;
    const boost::json::object event{
        {"apiVersion", "events.k8s.io/v1"},
        {"kind", "Event"},
        {"metadata", {{"name", event_name(note, micros)}, {"namespace", event_space(note)}}},
        {"eventTime", time},
        {"reportingController", "podferry"},
        {"reportingInstance", base::cut(reporter, longest_word)},
        {"action", reason},
        {"reason", reason},
        {"regarding", regarding},
        {"note", base::shortened(base::printable(note.message), longest_note)},
        {"type", note.warning ? "Warning" : "Normal"}};
    return boost::json::serialize(event);
}

// ---- how many ------------------------------------------------------------------------------------------------

void Tokens::fill(Time now) {
    if (used_)
        left_ = std::min(burst_, left_ + (now - filled_) / refill_);
    used_ = true;
    filled_ = now;
}

bool Tokens::has(Time now) {
    fill(now);
    return left_ >= 1;
}

bool Tokens::is_full(Time now) const {
    return !used_ || left_ + (now - filled_) / refill_ >= burst_;
}

/// Full buckets are forgotten when there are many: a fresh one is the same. A flood of names throws out the one that
/// has not been asked for the longest.
Tokens& EventBudget::bucket(Buckets& buckets, const std::string& key, const Tokens& fresh, Tokens::Time now) {
    const auto known = buckets.find(key);
    if (known != buckets.end())
        return known->second;
    if (buckets.size() >= most_buckets) {
        const auto oldest = std::min_element(buckets.begin(), buckets.end(), [](const auto& a, const auto& b) {
            return a.second.filled() < b.second.filled();
        });
        buckets.erase(oldest);
        std::erase_if(buckets, [&](const auto& entry) { return entry.second.is_full(now); });
    }
    return buckets.emplace(key, fresh).first->second;
}

bool EventBudget::spend(const EventNote& note, std::chrono::steady_clock::time_point now) {
    using namespace std::chrono_literals;
    const bool of_space = !note.space.empty();
    if (of_space && !all_.has(now))
        return false;
    Tokens* space = of_space ? &bucket(spaces_, note.space, {50, 1min}, now) : nullptr;
    if (space != nullptr && !space->has(now))
        return false;
    Tokens& object = bucket(objects_, note.kind + " " + note.space + "/" + note.name, {25, 5min}, now);
    if (!object.has(now))
        return false;
    object.spend();
    if (space != nullptr) {
        space->spend();
        all_.spend();
    }
    return true;
}

}  // namespace api
