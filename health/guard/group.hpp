// What becomes of the endpoints of one Service port and address family, from what the API says of them and which of
// them this node would take out. Own checks only ever veto, never the last one, never most of them. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "health/guard/finding.hpp"

namespace health {

/// One endpoint.
struct Member {
    bool ready = false;             ///< so says the API: it takes new connections
    std::optional<Time> out_since;  ///< own checks take it out (ejections.hpp), since then
    /// The guard against an API that calls everything not ready asks when it became so, whether it passes own checks,
    /// and that its Node's condition is Unknown.
    std::optional<Time> not_ready_since;
    bool passes = false;
    bool node_unknown = false;
};

struct GroupRules {
    std::size_t panic_percent = 50;          ///< fewer of the ready ones in: nobody is out. 0: never
    std::size_t calm_percent = 60;           ///< that ends when so many are in again
    std::chrono::milliseconds calm{30'000};  ///< for so long
    std::size_t most_out_percent = 50;       ///< of the ready ones; of two or more one may always be out
    /// Keep those that the API has called not ready, when more than `mass_percent` of all became so within
    /// `mass_window`, they pass, and nobody knows of their nodes: for so long; 0: not at all (kubernetes#77864).
    std::chrono::milliseconds retain{0};
    std::size_t mass_percent = 50;
    std::chrono::milliseconds mass_window{10'000};
};

enum class MemberFate : std::uint8_t {
    in,
    not_ready,    ///< so says the API, whatever own checks say
    out,          ///< own checks say so
    kept_last,    ///< they say so, but it is the last one
    kept_panic,   ///< they say so, but they say it of most: they may be wrong
    kept_budget,  ///< they say so, but enough others are out already
    retained,  ///< the API says that it is not ready, but says that of most at once, and knows nothing of their nodes
};

/// Takes new connections.
inline bool is_in(MemberFate fate) {
    return fate != MemberFate::not_ready && fate != MemberFate::out;
}

/// "kept: most fail", for people.
std::string_view word(MemberFate fate);

/// What is remembered of a group from one decision to the next.
struct PanicState {
    bool panics = false;
    std::optional<Time> calm_since;  ///< enough are in again
    bool operator==(const PanicState&) const = default;
};

struct GroupDecision {
    std::vector<MemberFate> fates;  ///< of each member, in their order
    PanicState panic;
    std::optional<Time> again;  ///< when to decide again though nothing has changed
};

GroupDecision decide(std::span<const Member> members, const GroupRules& rules, PanicState before, Time now);

}  // namespace health
