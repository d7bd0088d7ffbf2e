// What this node's own checks have found of a target, and what is done with one that is out. Pure.
#pragma once

#include <chrono>
#include <cstdint>

namespace health {

using Time = std::chrono::steady_clock::time_point;

/// Unknown is not failed: nobody is accused by a check that has not decided.
enum class Finding : std::uint8_t {
    unknown,
    passes,
    failed,  ///< it does not do its work; its host may be well
    dead,    ///< its host is gone: nothing of it answers
};

inline bool is_bad(Finding finding) {
    return finding == Finding::failed || finding == Finding::dead;
}

/// What becomes of the real servers of a target that is out.
enum class Treatment : std::uint8_t {
    weight_0,  ///< no new connections; those that are under way go on
    removal,   ///< what it had is reset, or goes to others
};

/// A datagram's client that keeps its port stays with a real server without weight, so of UDP it is removed.
inline Treatment treatment_of(Finding finding, bool udp) {
    return finding == Finding::dead || udp ? Treatment::removal : Treatment::weight_0;
}

}  // namespace health
