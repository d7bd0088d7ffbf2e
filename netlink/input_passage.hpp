// What becomes of new connections to Services between prerouting and IPVS: counted by rules of our table on both sides
// of the host's own firewall (RulesetParameters::watch_input), on traffic that really happens.
#pragma once

#include <netlink/msg.h>

#include <compare>
#include <cstdint>
#include <map>
#include <string>

namespace netlink {

/// Connections that are counted together.
struct Lane {
    bool outside = false;  ///< to external addresses and node ports; else to ClusterIPs
    bool ipv6 = false;
    auto operator<=>(const Lane&) const = default;
};

/// Packets that begin connections; one that is sent again counts again.
struct PassageCount {
    std::uint64_t entered = 0;  ///< seen in prerouting, where none of our rules refused them
    std::uint64_t arrived = 0;  ///< seen at input just before IPVS
    bool operator==(const PassageCount&) const = default;
};

using Passage = std::map<Lane, PassageCount>;

namespace nft {

/// Comments of the rules that count.
std::string passage_comment(bool arrives, const Lane& lane);

/// Adds the packets of a rule of our table that counts; others are passed over.
void add_passage(nlmsghdr* rule, Passage& passage);

}  // namespace nft
}  // namespace netlink
