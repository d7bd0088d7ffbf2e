#include "health/guard/incident.hpp"

#include <utility>

namespace health {

/// Empty: what fails is what has failed.
std::string Incident::reason(const std::vector<Bad>& bad, std::size_t all, Time since) const {
    if (!control_.empty())
        return control_ + " does not answer this node";
    std::size_t count = 0;
    std::set<std::string> places;
    for (const Bad& one : bad)
        if (one.since >= since) {
            ++count;
            places.insert(one.place);
        }
    if (count * 100 <= rules_.percent * all || places.size() < rules_.places)
        return "";
    return std::to_string(count) + " of " + std::to_string(all) + " targets on " + std::to_string(places.size()) +
           " nodes failed at once";
}

void Incident::review(const std::vector<Bad>& bad, std::size_t all, Time now) {
    std::string because = reason(bad, all, began_.value_or(now) - rules_.window);
    if (!because.empty()) {
        if (!began_)
            began_ = now;
        calm_since_.reset();
        why_ = std::move(because);
        return;
    }
    if (!began_)
        return;
    if (!calm_since_)
        calm_since_ = now;
    if (now - *calm_since_ < rules_.calm)
        return;
    began_.reset();
    calm_since_.reset();
    why_.clear();
}

std::optional<Time> Incident::disbelieved_since() const {
    return began_ ? std::optional(*began_ - rules_.window) : std::nullopt;
}

std::optional<Time> Incident::next() const {
    return calm_since_ ? std::optional(*calm_since_ + rules_.calm) : std::nullopt;
}

}  // namespace health
