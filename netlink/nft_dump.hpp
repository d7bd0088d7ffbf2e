// Listings of what others have in nftables: a family at a time, of a bounded number of messages. Kernel:
// net/netfilter/nf_tables_api.c.
#pragma once

#include <netlink/msg.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "netlink/message.hpp"

namespace netlink::nft {

inline constexpr std::size_t most_dumped = 50'000;  ///< messages of one dump

/// NFT_MSG_GET*; attributes that narrow it may follow. `family`: NFPROTO_*.
Message dump_request(int type, int family);

/// Dumps on a socket of its own, which goes with a dump that is left in the middle. Throws std::system_error, E2BIG
/// behind `most` messages.
void visit_dump(const Message& request, const std::function<void(nlmsghdr*)>& visit, std::size_t most = most_dumped);

/// "ip", "ip6", "inet"; empty for another one.
std::string family_name(int family);
int family_number(const std::string& name);

/// The number, which nf_tables has in network order.
std::optional<std::uint32_t> number_of(const nlattr* attribute);

/// What an expression `immediate` of a rule decides.
struct Decision {
    int code = 0;       ///< NF_DROP, NFT_JUMP, ...
    std::string chain;  ///< to which it jumps or goes
};
/// `data`: NFTA_EXPR_DATA of the expression; nothing: it decides nothing.
std::optional<Decision> decision_of(nlattr* data);

}  // namespace netlink::nft
