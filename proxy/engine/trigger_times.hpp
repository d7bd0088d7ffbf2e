// Since when the changes wait that the kernel does not hold yet: what network_programming_duration_seconds measures, by
// the rules of kube-proxy's EndpointsChangeTracker (pkg/proxy/endpointschangetracker.go). Pure.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <vector>

#include "api/objects/source.hpp"

namespace proxy {

class TriggerTimes {
public:
    using WallTime = std::chrono::system_clock::time_point;

    /// `started`: of this process. What happened before is no measure of ours.
    explicit TriggerTimes(WallTime started) : started_(started) {}

    /// Notes the times that the slices of a transaction tell. One that is deleted tells of its last update, not of its
    /// deletion: what it has told and is still waiting does not count either.
    void note(const api::Transaction& transaction);

    /// A change from a source whose objects tell no time: it happened now.
    void note_reading(WallTime now);

    /// The kernel holds all that was noted: how long each took.
    std::vector<std::chrono::duration<double>> exchange(WallTime now);

private:
    WallTime started_;
    std::map<api::ObjectName, std::vector<WallTime>> waiting_;  // by slice
    std::optional<WallTime> read_;                              // the oldest
};

}  // namespace proxy
