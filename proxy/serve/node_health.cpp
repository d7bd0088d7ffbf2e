#include "proxy/serve/node_health.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "base/plain_text.hpp"

namespace proxy {
namespace {

constexpr std::size_t longest_reason = 4096;  // bytes

using WallTime = std::chrono::system_clock::time_point;

/// Prints it as Go does a time.Time in UTC, without its monotonic reading.
std::string go_time_text(WallTime time) {
    if (time == WallTime())
        return "0001-01-01 00:00:00 +0000 UTC";
    const auto second = std::chrono::floor<std::chrono::seconds>(time);
    const auto rest = std::chrono::duration_cast<std::chrono::nanoseconds>(time - second).count();
    std::string fraction = rest == 0 ? "" : fmt::format(".{:09}", rest);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    return fmt::format("{:%Y-%m-%d %H:%M:%S}{} +0000 UTC", fmt::gmtime(std::chrono::system_clock::to_time_t(second)),
                       fraction);
}

/// lastUpdated is now when all is well, else the last sync.
Reply answer(bool good, const NodeHealth& health, WallTime wall, const std::string& more) {
    return {good ? 200 : 503,
            "application/json",
            fmt::format(R"({{"lastUpdated": "{}","currentTime": "{}"{}}})",
                        go_time_text(good ? wall : health.last_sync), go_time_text(wall), more),
            {}};
}

}  // namespace

bool is_healthy(const NodeHealth& health, Time now) {
    return (!health.waiting_since || now - *health.waiting_since < stuck_after) && !health.mostly_refused;
}

Reply healthz_reply(const NodeHealth& health, Time now, WallTime wall) {
    return answer(is_healthy(health, now) && health.carries && !health.leaving, health, wall,
                  fmt::format(R"(, "nodeEligible": {})", !health.leaving));
}

Reply livez_reply(const NodeHealth& health, Time now, WallTime wall) {
    return answer(is_healthy(health, now), health, wall, "");
}

Reply readyz_reply(const NodeHealth& health, bool ready, const std::string& waiting_for, WallTime wall) {
    const char* degraded = health.mostly_refused ? "the kernel refuses most of what is wanted: see podferry status"
                           : health.failing      ? "the kernel cannot be programmed: see podferry status"
                                                 : nullptr;
    if (ready && degraded != nullptr)
        return answer(false, health, wall, fmt::format(R"(, "degraded": "{}")", degraded));
    return answer(ready, health, wall,
                  ready ? ""
                        : R"(, "waitingFor": )" + base::printable_json(boost::json::serialize(boost::json::value(
                                                      base::shortened(waiting_for, longest_reason)))));
}

}  // namespace proxy
