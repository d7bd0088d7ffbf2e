// What kube-proxy leaves in the kernel: its tables of mode nftables, its chains in tables of iptables-nft and the rules
// of others that jump to them, and its ipsets. Known by kube-proxy's own names (pkg/proxy/{iptables,ipvs,nftables});
// the kubelet's chains (KUBE-FIREWALL, KUBE-MARK-DROP, KUBE-KUBELET-CANARY) and those of network policies are none. Of
// others' chains only names, and where their rules jump to, are read. Rules of the older iptables are not read.
#pragma once

#include <netlink/msg.h>

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace netlink {

struct NamedChain {
    std::string family;  ///< "ip", "ip6"
    std::string table;
    std::string name;
    auto operator<=>(const NamedChain&) const = default;
};

/// A rule in a chain of others that leads to one of kube-proxy's.
struct JumpRule {
    NamedChain chain;
    std::uint64_t handle = 0;
    bool operator==(const JumpRule&) const = default;
};

struct KubeProxyRemains {
    std::vector<std::string> tables;  ///< families that have a table kube-proxy
    std::vector<NamedChain> chains;
    std::vector<JumpRule> jumps;
    std::vector<std::string> sets;  ///< of ipset
    bool operator==(const KubeProxyRemains&) const = default;
};

bool is_chain_of_kube_proxy(std::string_view name);
bool is_set_of_kube_proxy(std::string_view name);

/// Throws std::system_error when the kernel cannot be asked, or has too many chains or rules for a look.
KubeProxyRemains read_kube_proxy_remains();

/// Jumps first, so that no packet meets half of it; then chains, tables, sets. Returns a sentence for each kind that
/// the kernel refuses; what comes behind is tried all the same. Throws std::system_error when the kernel cannot be
/// spoken to.
std::vector<std::string> remove_kube_proxy_remains(const KubeProxyRemains& remains);

namespace nft {

/// A chain, and whether it is a base chain, of a message that tells of one.
struct ListedChain {
    NamedChain chain;
    bool is_base = false;
};
std::optional<ListedChain> parse_chain(nlmsghdr* header);

/// The rule, when it leads to a chain of kube-proxy's.
std::optional<JumpRule> parse_jump(nlmsghdr* header);

/// The name of an ipset, of a message that tells of one; empty: it tells of none.
std::string parse_set_name(nlmsghdr* header);

}  // namespace nft
}  // namespace netlink
