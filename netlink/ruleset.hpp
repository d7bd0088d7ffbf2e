// Table `inet podferry` as a value. The number of rules never depends on the number of services: everything
// that changes with them is an element of a set (objects.hpp, Set). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "netlink/nft_words.hpp"

namespace netlink {

/// Marks of packets that are ours: those whose bits under `mask` are `value`.
struct Fwmark {
    std::uint32_t value = 0x50460000;
    std::uint32_t mask = 0xffff0000;
    bool operator==(const Fwmark&) const = default;
};

struct RulesetParameters {
    /// CIDRs of pods; empty, and no pod_interface: clients of ClusterIPs are not masqueraded, and only this host counts
    /// as inside the cluster.
    std::vector<base::Prefix> pod_networks;
    bool masquerade_all = false;  ///< every connection to a ClusterIP is masqueraded
    Fwmark fwmark;
    bool count_passage = false;  ///< new connections are counted in prerouting and at input (input_passage.hpp)
    /// CIDRs of ClusterIPs; in them, new connections to addresses that no Service has are dropped. Empty: nothing is.
    std::vector<base::Prefix> service_networks;
    /// It takes the place of pod_networks: pods are who comes by that interface, "cni0", or by one whose name begins
    /// so, "veth*".
    std::string pod_interface;
    /// CIDRs of pods, of other nodes too, whose connections are not to be reset; empty: pod_networks.
    std::vector<base::Prefix> all_pod_networks;
    /// Texts that the table keeps for whoever makes it next (LinuxKernel::read_notes()), at most 200 bytes each.
    std::vector<std::string> notes;
};

/// What the comment of a note's rule says behind the version.
inline constexpr const char* note_prefix = "note: ";

/// A chain of the table; one without a type is reached from others only.
struct Chain {
    std::string name;
    std::string type;  ///< "filter", "nat", "route"
    std::string hook;  ///< "prerouting", "input", "output", "postrouting"
    int priority = 0;
};

/// What is in the table beside the sets (nft::all_sets()).
struct Ruleset {
    std::vector<Chain> chains;
    std::vector<nft::Rule> rules;
    /// Every rule's comment starts with it; it changes when any rule does.
    std::string version;
};

/// The note in a rule's comment, if it has one.
std::optional<std::string> note_of(const std::string& comment);

Ruleset make_ruleset(const RulesetParameters& parameters);

/// A hash of its text, as eight hexadecimal digits.
std::string version_of(const Ruleset& ruleset);

/// A text that nft(8) reads: it creates what is missing and replaces all rules, in one transaction; elements of sets
/// stay.
std::string to_text(const Ruleset& ruleset);

}  // namespace netlink
