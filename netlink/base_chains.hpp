// Chains of others that can drop what goes to Services before IPVS sees it: IPVS gets packets at hook input, priority
// 98 (net/netfilter/ipvs/ip_vs_core.c), and nobody can overrule a drop. Only fixed attributes of chains are read, and
// of such a chain's rules what the last one is; never sets, never more than a bounded number of messages.
#pragma once

#include <netlink/msg.h>

#include <optional>
#include <string>
#include <vector>

namespace netlink {

/// A chain of a host's firewall: of hook input, before IPVS, that drops what none of its rules has let in.
struct DroppingChain {
    std::string family;  ///< "ip", "ip6", "inet"
    std::string table;
    std::string name;
    int priority = 0;
    bool by_policy = true;  ///< else by its last rule, which drops or rejects everything
    bool operator==(const DroppingChain&) const = default;
};

struct HostFirewall {
    std::vector<DroppingChain> chains;
    /// The table filter of the older iptables is in use, whose rules are not read: it may drop.
    bool legacy = false;
    bool operator==(const HostFirewall&) const = default;
};

/// Throws std::system_error when the kernel cannot be asked, or when it has too many chains for a look.
HostFirewall read_host_firewall();

namespace nft {

/// A base chain of hook input before IPVS, of a family that Services are of; nothing for all other chains, and for what
/// is no chain. Whether it drops: `by_policy`.
std::optional<DroppingChain> parse_input_chain(nlmsghdr* header);

/// Whether a rule drops or rejects every packet that comes to it.
bool drops_everything(nlmsghdr* header);

}  // namespace nft
}  // namespace netlink
