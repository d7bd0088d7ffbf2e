// Which targets this node takes out by its own checks, whatever Service they are of: not before the first round is
// done, not many at once, not while the node itself may be cut off, and not in and out all the time. A target is what
// is checked once and used by many: a pod, a node. Pure; `now` is passed in.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "health/guard/finding.hpp"
#include "health/guard/incident.hpp"

namespace health {

struct EjectionRules {
    /// Nobody is out before each target that was there at the first review has been found something of, but no longer
    /// than that: until then the kernel stands as it was found.
    std::chrono::milliseconds grace{60'000};
    /// So many go out within `rate_window` at most, or `percent` of all targets, whichever is more. The others wait.
    std::size_t burst = 10;
    std::size_t percent = 5;
    std::chrono::milliseconds rate_window{10'000};
    /// How long one stays out at least. Doubled each time that it goes out again, and halved for each `forgiven` that
    /// it was in.
    std::chrono::milliseconds hold{5'000};
    /// The same of one that has not been out lately; nullopt: as `hold`.
    std::optional<std::chrono::milliseconds> first_hold{};
    std::chrono::milliseconds longest_hold{60'000};
    std::chrono::milliseconds forgiven{60'000};
    IncidentRules incident{};
};

/// What is known of a target that is out.
struct Ejection {
    Finding finding = Finding::failed;
    std::string why;      ///< "connect: Connection refused"
    Time since;           ///< when it went out
    bool passes = false;  ///< again, but not for long enough
};

class Ejections {
public:
    using Target = std::string;

    explicit Ejections(EjectionRules rules = {}) : rules_(rules), incident_(rules.incident) {}

    /// What is found of a target. `place`: the node that it is on. A check accuses only a target that it has once
    /// passed: one that never did may be barred by a policy, or ask the wrong port.
    void put(const Target& target, Finding finding, std::string why, const std::string& place);
    /// It is checked no more, and so it is in.
    void remove(const Target& target);
    /// It is another one now, under the same name: what was found of the former does not count.
    void renew(const Target& target);
    /// Does what Incident's does.
    void note_control(std::string silent);

    /// Decides. Times count from the first review after something has been found. Returns those that are in, or out, or
    /// out for another reason, since the last one. Costs what the targets are, when something has changed or is due.
    std::set<Target> review(Time now);
    /// When that is due; nullopt: nothing changes with time.
    std::optional<Time> next() const;

    /// nullptr: the target is in.
    const Ejection* of(const Target& target) const;
    /// Why a target is in although it is bad, for people; empty: it is not so.
    std::string spared(const Target& target) const;
    /// Why nobody is taken out now; empty: there is no incident.
    const std::string& incident() const { return incident_.why(); }
    std::size_t out() const { return out_; }

private:
    struct Entry {
        Finding finding = Finding::unknown;
        std::string why;
        std::string place;
        bool has_passed = false;
        std::optional<Time> bad_since;
        std::optional<Ejection> ejection;
        unsigned level = 0;  // how often it has gone out lately
        Time released;
    };

    bool may_be_out(const Entry& entry) const { return is_bad(entry.finding) && entry.has_passed; }
    bool in_grace(Time now) const;
    void stamp(Time now);
    void release(Entry& entry, Time now);
    void eject(Entry& entry, Time now);
    std::chrono::milliseconds hold_of(const Entry& entry) const;
    std::size_t allowance() const;
    void follow_incident(Time now);
    void take_out(Time now);
    void consider(Time due);

    EjectionRules rules_;
    Incident incident_;
    std::map<Target, Entry> entries_;
    std::set<Target> changed_;
    std::set<Target> awaited_;  // there at the first review, and nothing is found of them
    std::deque<Time> lately_;   // when some went out, within the window
    std::optional<Time> began_;
    std::optional<Time> due_;
    bool dirty_ = false;
    bool graced_ = false;  // by the last review
    std::size_t out_ = 0;
};

}  // namespace health
