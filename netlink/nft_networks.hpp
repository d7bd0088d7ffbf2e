// Networks as sets of nftables have them: prefixes, and intervals in order. Pure.
#pragma once

#include <string>
#include <vector>

#include "netlink/nft_code.hpp"

namespace netlink::nft {

struct Prefix {
    Bytes address;  ///< 4 or 16 bytes; those behind the prefix are zero
    int length = 0;
};

/// "10.1.0.0/16". Throws std::invalid_argument.
Prefix prefix_of(const std::string& network);

/// The first `length` bits of so many bytes are one.
Bytes mask_of(int length, std::size_t bytes);

/// "255.255.0.0", "ffff::"
std::string text_of_address(const Bytes& address);

/// The starts and ends of what the networks (of one family) cover together: in order, none that overlap or touch, as
/// the kernel wants them (net/netfilter/nft_set_rbtree.c), before them an end at zero, as nft(8) adds it.
std::vector<AnonymousSet::Entry> intervals_of(const std::vector<std::string>& networks);

}  // namespace netlink::nft
