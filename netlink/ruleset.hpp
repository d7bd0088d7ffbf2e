// Table `inet podferry` as nftables text. The number of rules never depends on the number of services: everything
// that changes with them is an element of a set (objects.hpp, Set). Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace netlink {

/// Marks of packets that are ours: those whose bits under `mask` are `value`.
struct Fwmark {
    std::uint32_t value = 0x50460000;
    std::uint32_t mask = 0xffff0000;
    bool operator==(const Fwmark&) const = default;
};

struct RulesetParameters {
    /// CIDRs of pods; empty: clients of ClusterIPs are not masqueraded, and only this host counts as inside the
    /// cluster.
    std::vector<std::string> pod_networks;
    bool masquerade_all = false;  ///< every connection to a ClusterIP is masqueraded
    Fwmark fwmark;
};

struct Ruleset {
    /// Creates what is missing and replaces all rules, in one transaction; elements of sets stay.
    std::string text;
    /// Every rule's comment starts with it; it changes when any rule does.
    std::string version;
    std::size_t rules = 0;
};

Ruleset make_ruleset(const RulesetParameters& parameters);

}  // namespace netlink
