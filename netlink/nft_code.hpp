// Expressions of the kernel's nftables as values: what a rule is made of once nft(8) has translated it. Each struct is
// one expression and its members are its attributes, with the numbers of include/uapi/linux/netfilter/nf_tables.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace netlink::nft {

using Bytes = std::vector<std::uint8_t>;

struct LoadMeta {
    std::uint32_t key = 0;  ///< NFT_META_*
    std::uint32_t reg = 0;  ///< NFT_REG_* or NFT_REG32_*
};
struct SetMeta {
    std::uint32_t key = 0;
    std::uint32_t reg = 0;
};
struct LoadPayload {
    std::uint32_t base = 0;    ///< NFT_PAYLOAD_*_HEADER
    std::uint32_t offset = 0;  ///< bytes, as `length`
    std::uint32_t length = 0;
    std::uint32_t reg = 0;
};
struct LoadConntrack {
    std::uint32_t key = 0;                  ///< NFT_CT_*
    std::optional<std::uint8_t> direction;  ///< IP_CT_DIR_*, of keys that have one
    std::uint32_t reg = 0;
};
/// The type (RTN_*) of the packet's source address, or of its destination.
struct LoadAddressType {
    bool destination = false;
    std::uint32_t reg = 0;
};
/// reg = (reg & mask) ^ flip; both of the same size.
struct Bitwise {
    std::uint32_t reg = 0;
    Bytes mask;
    Bytes flip;
};
/// The rule ends here for packets whose register is not so.
struct Compare {
    bool equal = true;
    std::uint32_t reg = 0;
    Bytes data;
};
/// A look-up in a set or a map of our table; without a name: in the statement's own anonymous one.
struct Lookup {
    std::string set;
    std::uint32_t reg = 0;
    bool inverted = false;
    std::optional<std::uint32_t> into;  ///< the register of what a map has
};
struct Verdict {
    int code = 0;       ///< NF_ACCEPT, NF_DROP, NFT_*
    std::string chain;  ///< of NFT_JUMP and NFT_GOTO
};
struct Counter {};
struct Reject {
    std::uint32_t type = 0;  ///< NFT_REJECT_*
    std::uint8_t code = 0;
};
struct Masquerade {
    std::uint32_t flags = 0;  ///< NF_NAT_RANGE_*
};
struct TranslateDestination {
    std::uint32_t family = 0;  ///< NFPROTO_*
    std::uint32_t reg = 0;     ///< has the address
};

using Expression = std::variant<LoadMeta, SetMeta, LoadPayload, LoadConntrack, LoadAddressType, Bitwise, Compare,
                                Lookup, Verdict, Counter, Reject, Masquerade, TranslateDestination>;

/// A set, or a map to verdicts, that one rule has for itself: "{ tcp, udp }".
struct AnonymousSet {
    struct Entry {
        Bytes key;
        bool ends_interval = false;  ///< of sets of intervals: the first key behind one
        std::optional<Verdict> verdict;
    };
    std::uint32_t key_type = 0;  ///< as nft(8) numbers them: for its listings, the kernel does not look at it
    bool intervals = false;
    std::vector<Entry> entries;
    bool is_map() const { return !entries.empty() && entries.front().verdict.has_value(); }
};

}  // namespace netlink::nft
