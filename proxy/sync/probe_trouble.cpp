#include "proxy/sync/probe_trouble.hpp"

namespace proxy {

void ProbeTrouble::note(const std::string& reason, Time now) {
    std::erase_if(last_, [&](const auto& entry) { return now - entry.second > remembered; });
    if (last_.size() < most || last_.contains(reason))
        last_[reason] = now;
}

std::optional<std::string> ProbeTrouble::problem(Time now) const {
    std::string reasons;
    for (const auto& [reason, at] : last_)
        if (now - at <= remembered)
            reasons += (reasons.empty() ? "" : ", ") + reason;
    if (reasons.empty())
        return std::nullopt;
    return "this host cannot make some probes (" + reasons +
           "), which says nothing about the pods: they keep the verdict that they have";
}

}  // namespace proxy
