// Tells "they are down" from "I am cut off": when much fails at once, in several places, or when what must answer this
// node does not, its own view is worth nothing. Pure; `now` is passed in.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "health/guard/finding.hpp"

namespace health {

struct IncidentRules {
    std::chrono::milliseconds window{10'000};  ///< what fails within it fails at once
    std::size_t percent = 30;                  ///< of all targets: more than that is no coincidence
    std::size_t places = 3;                    ///< nodes that they are on, at least
    std::chrono::milliseconds calm{30'000};    ///< how long it must be over before findings count again
};

/// A target that is bad now.
struct Bad {
    Time since;
    std::string place;  ///< the node that it is on
};

class Incident {
public:
    explicit Incident(IncidentRules rules = {}) : rules_(rules) {}

    /// What must answer this node and does not: its gateway, the API server; empty: all do.
    void note_control(std::string silent) { control_ = std::move(silent); }

    /// `bad` of `all` targets are bad. Begins, goes on or ends.
    void review(const std::vector<Bad>& bad, std::size_t all, Time now);

    /// What became bad since then is not believed; nullopt: there is no incident.
    std::optional<Time> disbelieved_since() const;
    /// Why, for people; empty: there is none.
    const std::string& why() const { return why_; }
    /// When review() is due though nothing has changed.
    std::optional<Time> next() const;

private:
    std::string reason(const std::vector<Bad>& bad, std::size_t all, Time since) const;

    IncidentRules rules_;
    std::string control_;
    std::string why_;
    std::optional<Time> began_;
    std::optional<Time> calm_since_;
};

}  // namespace health
