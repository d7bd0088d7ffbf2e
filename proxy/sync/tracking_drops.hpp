// Says whether connection tracking drops packets now because its table is full. A probe that nobody
// answers meanwhile says nothing about its pod.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "proxy/engine/refusals.hpp"

namespace proxy {

/// The sum of column "drop" over all processors of /proc/net/stat/nf_conntrack
/// (net/netfilter/nf_conntrack_standalone.c, ct_cpu_seq_show(): a heading, then hexadecimal numbers); nullopt when
/// there is none.
std::optional<std::uint64_t> parse_tracking_drops(std::string_view text);

/// Those of this network namespace.
std::optional<std::uint64_t> read_tracking_drops();

class TrackingDrops {
public:
    /// Whether the number has risen since the last look that is at least a second old.
    bool rising(std::optional<std::uint64_t> drops, Time now);

private:
    struct Look {
        Time at;
        std::uint64_t drops = 0;
    };
    std::optional<Look> older_;
    std::optional<Look> newer_;
};

}  // namespace proxy
