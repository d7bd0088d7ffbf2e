// Slow start (annotation podferry.io/slow-start): a real server that is new to a Service gets a tenth of a full share
// at first, and more in equal steps, so that what it has to load, compile or cache does not meet all its clients at
// once. Pure; `now` is passed in.
//
// Under slow start the full weight is 100 instead of 1. The real servers of a virtual server that are furthest have it,
// the others what their step is to theirs: while all are equally new nothing is to be written.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>

#include "proxy/plan/plan.hpp"

namespace proxy {

using Time = std::chrono::steady_clock::time_point;

class SlowStart {
public:
    static constexpr int full_weight = 100;
    static constexpr int steps = 10;  ///< the first at once, the last when the time is over
    /// One that gets no connections for that long is new again; for a shorter time, as when its endpoint moves between
    /// slices or fails a probe, it is where it would have been.
    static constexpr std::chrono::seconds longest_absence{10};

    /// Gives the real servers of `plan` that are to get connections their weights, where the scheduler heeds them, if
    /// the plan has a slow start; forgets the Service if not. In the first plan of a Service those that the kernel has
    /// with a weight are not new: they are in the step that it says, or grown.
    void weigh(const api::ObjectName& service, ServicePlan& plan, const Mirror& kernel);

    void forget(const api::ObjectName& service);

    /// The Services that are to be weighed again by now. Time counts from the first review after a real server has
    /// come.
    std::set<api::ObjectName> review(Time now);

    /// When review() is due; nullopt: nothing grows.
    std::optional<Time> next() const;

    /// Whether that is the weight of a real server that grows. One without slow start has 1.
    static bool is_growing(int weight) { return weight > 1 && weight < full_weight; }

private:
    struct Entry {
        int step = 1;                ///< 1..steps
        std::optional<Time> since;   ///< when it was in step 1
        bool here = true;            ///< it gets connections
        std::optional<Time> absent;  ///< since when it does not
    };
    struct Ramps {
        std::chrono::milliseconds time{0};
        std::map<netlink::RealServer, Entry> entries;
    };

    static bool review(Ramps& ramps, Time now, std::optional<Time>& due);

    std::map<api::ObjectName, Ramps> services_;
    std::map<api::ObjectName, std::optional<Time>> due_;  // those that change with time; nullopt: at once
};

}  // namespace proxy
