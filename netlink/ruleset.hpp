// Table `inet podferry` as nftables text. The number of rules never depends on the number of services: everything
// that changes with them is an element of a set (objects.hpp, Set). Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace netlink {

struct RulesetParameters {
    std::vector<std::string> pod_networks;  ///< CIDRs of pods; empty: clients of ClusterIPs are not masqueraded
    bool masquerade_all = false;            ///< every connection to a ClusterIP is masqueraded
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
