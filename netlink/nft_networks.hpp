// Networks as sets of nftables have them: masks, and intervals in order. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/prefix.hpp"
#include "netlink/nft_code.hpp"

namespace netlink::nft {

/// The first `length` bits of so many bytes are one.
Bytes mask_of(int length, std::size_t bytes);

/// "255.255.0.0", "ffff::"
std::string text_of_address(const Bytes& address);

/// The starts and ends of what the networks (of one family) cover together: in order, none that overlap or touch, as
/// the kernel wants them (net/netfilter/nft_set_rbtree.c), before them an end at zero, as nft(8) adds it.
std::vector<AnonymousSet::Entry> intervals_of(const std::vector<base::Prefix>& networks);

}  // namespace netlink::nft
