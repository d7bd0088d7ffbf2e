#include "proxy/engine/slow_start.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "netlink/schedulers.hpp"
#include "proxy/plan/scheduling.hpp"

namespace proxy {
namespace {

constexpr int unit = SlowStart::full_weight / SlowStart::steps;

/// That a real server is in which the kernel has with this weight.
int step_of(int kernel_weight) {
    if (kernel_weight <= 0)
        return 1;
    return kernel_weight < SlowStart::full_weight && kernel_weight % unit == 0 ? kernel_weight / unit
                                                                               : SlowStart::steps;
}

}  // namespace

void SlowStart::weigh(const api::ObjectName& service, ServicePlan& plan, const Mirror& kernel) {
    if (plan.slow_start.count() == 0) {
        forget(service);
        return;
    }
    const auto [place, first] = services_.try_emplace(service);
    Ramps& ramps = place->second;
    bool changed = std::exchange(ramps.time, plan.slow_start) != plan.slow_start;
    std::map<netlink::RealServer, int> kernel_weights;  // of those that are to get connections
    for (const auto& [server, state, kind] : plan.virtual_servers)
        if (netlink::shares_by_weight(state.settings.scheduler))
            for (const auto& [real, weight] : state.real_servers)
                if (weight > 0) {
                    int& known = kernel_weights[real];
                    if (first)
                        known = std::max(known, kernel.weight(server, real).value_or(0));
                }
    for (const auto& [real, weight] : kernel_weights) {
        const auto [entry, added] = ramps.entries.try_emplace(real, Entry{step_of(weight), {}, true, {}});
        changed = changed || added;
    }
    for (auto& [real, entry] : ramps.entries) {
        const bool here = kernel_weights.contains(real);
        changed = std::exchange(entry.here, here) != here || changed;
        if (here)
            entry.absent.reset();
    }
    if (changed)
        due_[service] = std::nullopt;
    for (auto& [server, state, kind] : plan.virtual_servers) {
        if (!netlink::shares_by_weight(state.settings.scheduler))
            continue;
        int furthest = 1;
        for (const auto& [real, weight] : state.real_servers)
            if (weight > 0)
                furthest = std::max(furthest, ramps.entries.at(real).step);
        for (auto& [real, weight] : state.real_servers)
            if (weight > 0)
                weight = unit * ((ramps.entries.at(real).step * steps + furthest - 1) / furthest);
    }
}

void SlowStart::forget(const api::ObjectName& service) {
    services_.erase(service);
    due_.erase(service);
}

/// True when a weight is to change. `due`: when the next may.
bool SlowStart::review(Ramps& ramps, Time now, std::optional<Time>& due) {
    const auto part = std::chrono::duration_cast<Time::duration>(ramps.time) / (steps - 1);
    const auto wait_until = [&](Time time) { due = due ? std::min(*due, time) : time; };
    bool changed = false;
    for (auto place = ramps.entries.begin(); place != ramps.entries.end();) {
        Entry& entry = place->second;
        if (!entry.here) {
            entry.absent = entry.absent.value_or(now);
            if (now >= *entry.absent + longest_absence) {
                place = ramps.entries.erase(place);
                continue;
            }
            wait_until(*entry.absent + longest_absence);
        }
        if (entry.step < steps) {
            entry.since = entry.since.value_or(now - part * (entry.step - 1));
            const auto step = static_cast<int>(std::min<Time::rep>(steps, 1 + (now - *entry.since) / part));
            changed = changed || (entry.here && step > entry.step);
            entry.step = std::max(entry.step, step);
            if (entry.step < steps)
                wait_until(*entry.since + part * entry.step);
        }
        ++place;
    }
    return changed;
}

std::set<api::ObjectName> SlowStart::review(Time now) {
    std::set<api::ObjectName> changed;
    for (auto place = due_.begin(); place != due_.end();) {
        auto& [service, due] = *place;
        if (due && *due > now) {
            ++place;
            continue;
        }
        due.reset();
        if (review(services_.at(service), now, due))
            changed.insert(service);
        place = due ? std::next(place) : due_.erase(place);
    }
    return changed;
}

std::optional<Time> SlowStart::next() const {
    std::optional<Time> earliest;
    for (const auto& [service, due] : due_)
        earliest = std::min(earliest.value_or(Time::max()), due.value_or(Time::min()));
    return earliest;
}

}  // namespace proxy
