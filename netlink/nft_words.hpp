// The words that our rules are made of, as values. Each word has a text, as nft(8) writes it, and the kernel's
// expressions for that text, as nft(8) translates it: a lab scenario holds one against the other. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/prefix.hpp"
#include "netlink/nft_code.hpp"

namespace netlink::nft {

struct IpFamily {
    const char* ip;        // "ip", "ip6"
    const char* suffix;    // of sets and chains
    const char* name;      // as `meta nfproto` has it
    const char* icmp;      // as `meta l4proto` has it
    int bits;              // of an address
    std::uint8_t nfproto;  // NFPROTO_*
};
inline constexpr IpFamily ip_families[] = {{"ip", "4", "ipv4", "icmp", 32, 2}, {"ip6", "6", "ipv6", "icmpv6", 128, 10}};

/// A part of a rule: a condition, or what is done.
struct Statement {
    std::string text;
    std::vector<Expression> code;
    /// If it is not 0, the code looks into the header of this family's packets, so that the family has to be asked for
    /// first.
    std::uint8_t nfproto = 0;
    /// If it is not 0, it asks for this family itself.
    std::uint8_t asks_nfproto = 0;
    /// Its Lookup without a name looks here.
    std::optional<AnonymousSet> set;
};

struct Rule {
    std::string chain;
    std::vector<Statement> statements;
    std::string comment;
};

/// The statements' texts with blanks between them.
std::string text_of(const Rule& rule);
/// Their code, with `meta nfproto` asked before the first statement that needs it.
std::vector<Expression> code_of(const Rule& rule);

// ---- what of a packet is looked at --------------------------------------------------------------------------------

struct Field {
    std::string text;
    std::uint32_t type = 0;  ///< as nft(8) numbers types
    std::uint32_t size = 0;  ///< bytes
    Expression load;         ///< its register is filled in later
    std::uint8_t nfproto = 0;
    Bytes mask;  ///< empty: as it is
};
/// Several fields make a concatenation: "ip daddr . meta l4proto . th dport".
using Key = std::vector<Field>;

Field saddr(const IpFamily& family);
Field daddr(const IpFamily& family);
Field l4proto();
Field dport();
Field original_daddr(const IpFamily& family);
Field original_dport();
Field reply_saddr(const IpFamily& family);
Field reply_sport();
/// Its first `length` bits.
Field network_of(Field address, int length);

// ---- conditions ---------------------------------------------------------------------------------------------------

Statement is_in(const Key& key, const std::string& set);
Statement is_not_in(const Key& key, const std::string& set);
/// `networks`: of the field's family, at least one.
Statement is_in_networks(const Field& address, const std::vector<base::Prefix>& networks);
Statement is_not_in_networks(const Field& address, const std::vector<base::Prefix>& networks);
Statement is_of(const IpFamily& family);
/// "tcp", "udp", "sctp", "icmp", "icmpv6".
Statement protocol_is(const std::string& protocol);
Statement protocol_is_one_of(const std::vector<std::string>& protocols);

enum class State : std::uint32_t { invalid = 1, established = 2, related = 4, new_ = 8, untracked = 64 };
/// Any of them, and of nothing else: "ct state established,related".
Statement state_is(const std::vector<State>& states);
/// The same by a look-up: "ct state { new, invalid }".
Statement state_is_one_of(const std::vector<State>& states);
Statement state_is_not(State state);
Statement is_reply();
/// The packet's connection has been seen before.
Statement is_confirmed();
Statement source_is_local();
Statement source_is_not_local();
Statement destination_is_not_local();
Statement does_not_leave_by_loopback();
/// The packet has come by that interface; a name that ends in '*': by one whose name begins so.
Statement came_by(const std::string& interface);
Statement did_not_come_by(const std::string& interface);
Statement mark_is(std::uint32_t value, std::uint32_t mask);

// ---- what is done -------------------------------------------------------------------------------------------------

Statement counted();
Statement accept();
Statement drop();
Statement back();  ///< "return"
Statement go_to(const std::string& chain);
Statement jump(const std::string& chain);
struct ProtocolChain {
    std::string protocol;
    std::string chain;
};
Statement go_by_protocol(const std::vector<ProtocolChain>& chains);
/// mark = mark & keep | add
Statement change_mark(std::uint32_t keep, std::uint32_t add);
Statement look_up_mark(const Key& key, const std::string& map);
Statement reset_tcp();
Statement refuse_port();
Statement masquerade_at_random();
/// The destination is set up as the one that the packet has.
Statement keep_destination(const IpFamily& family);

/// Number of a type as nft(8) has it (include/datatype.h of nftables): several make a concatenation.
namespace type {
inline constexpr std::uint32_t ipv4_address = 7;
inline constexpr std::uint32_t ipv6_address = 8;
inline constexpr std::uint32_t protocol = 12;
inline constexpr std::uint32_t port = 13;
inline constexpr std::uint32_t mark = 19;
inline constexpr std::uint32_t conntrack_state = 26;
}  // namespace type

}  // namespace netlink::nft
