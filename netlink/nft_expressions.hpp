// The kernel's expressions, data and verdicts as attributes. Kernel: the NFTA_*_POLICY of net/netfilter/nft_*.c.
#pragma once

#include <string>
#include <vector>

#include "netlink/message.hpp"
#include "netlink/nft_code.hpp"

namespace netlink::nft {

/// The kernel puts a number in place of "%d".
inline constexpr const char* anonymous_set = "__set%d";
inline constexpr const char* anonymous_map = "__map%d";

/// Puts the text with the final zero.
void put_text(const Message& message, int attribute, const std::string& text);
/// Puts the number in network order, as nf_tables wants it.
void put_number(const Message& message, int attribute, std::uint32_t number);
void put_data(const Message& message, int attribute, const Bytes& data);
void put_verdict(const Message& message, int attribute, const Verdict& verdict);

/// Look-ups without a name are in the anonymous sets `number`, `number` + 1, ...
void put_expressions(const Message& message, const std::vector<Expression>& code, std::uint32_t number);

/// A rule's user data that is a comment, as nft(8) has it (libnftnl, udata.h). At most 253 characters; the rest is cut.
Bytes comment_data(const std::string& comment);

}  // namespace netlink::nft
