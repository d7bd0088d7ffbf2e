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

/// What shows that kube-proxy is or was here; empty: nothing does. Rules of the older iptables are not read.
struct ProxyChains {
    std::string table;  ///< of its mode nftables: "ip kube-proxy", "ip6 kube-proxy"
    std::string chain;  ///< of its modes iptables and ipvs, in tables of iptables-nft: "KUBE-SERVICES (ip nat)"
    bool operator==(const ProxyChains&) const = default;
};

struct HostFirewall {
    std::vector<DroppingChain> chains;
    /// The table filter of the older iptables is in use, whose rules are not read: it may drop.
    bool legacy = false;
    ProxyChains of_kube_proxy;
    bool operator==(const HostFirewall&) const = default;
};

/// Throws std::system_error when the kernel cannot be asked, or when it has too many chains for a look.
HostFirewall read_host_firewall();

namespace nft {

/// A base chain of hook input before IPVS, of a family that Services are of; nothing for all other chains, and for what
/// is no chain. Whether it drops: `by_policy`.
std::optional<DroppingChain> parse_input_chain(nlmsghdr* header);

/// Notes what a chain shows of kube-proxy. The kubelet has chains of its own (KUBE-FIREWALL, KUBE-KUBELET-CANARY): they
/// are none of these.
void note_proxy_chain(nlmsghdr* header, ProxyChains& found);

/// Whether a rule drops or rejects every packet that comes to it.
bool drops_everything(nlmsghdr* header);

}  // namespace nft
}  // namespace netlink
