// Elements of the sets of table `inet podferry`, over nfnetlink (kernel: net/netfilter/nf_tables_api.c). Filling sets
// through libnftables takes minutes at 20,000 elements; through our own batches a second (docs/performance.md). The
// table itself is nft_table.hpp's.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "netlink/message.hpp"
#include "netlink/objects.hpp"

namespace netlink::nft {

inline constexpr const char* table_name = "podferry";

/// Name of the kernel's set that holds the element: "served4", "hairpin6", "node_port", "allowed4_24".
std::string set_name(const Element& element);

/// A name of every set, and an element of it that shows its shape.
std::vector<std::pair<std::string, Element>> all_sets();

/// One field of a set's key.
struct KeyType {
    const char* name;          ///< as nft(8) has it: "ipv4_addr"
    std::uint32_t number = 0;  ///< the same (nft_words.hpp, namespace type)
    std::uint32_t size = 0;    ///< bytes
};
/// The types of a key in a set with such elements.
std::vector<KeyType> key_types(const Element& shape);

Message batch_begin();
Message batch_end();
/// A message to nf_tables, family inet: NFT_MSG_*. Attributes follow.
Message table_message(int type, int flags, std::size_t size = Message::usual_size);

/// Adds or deletes elements that are all of the same kernel set. At most 500, the size of an attribute being 64 KiB.
Message change_elements(bool add, const std::vector<const Element*>& elements);

Message get_elements(const std::string& set);
/// Appends the elements in one message of a get_elements() dump of a set shaped like `shape`.
void parse_elements(nlmsghdr* header, const Element& shape, std::set<Element>& elements);

/// All rules of our table, and the comment of each in a dump message.
Message get_rules();
std::string parse_rule_comment(nlmsghdr* header);

}  // namespace netlink::nft
