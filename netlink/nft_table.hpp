// Table `inet podferry` in the kernel: made, checked and removed by our own transactions, which neither read nor name
// anybody else's table. (libnftables lists every table of the host first, and what it does not understand of one may
// be its end.) Kernel: net/netfilter/nf_tables_api.c.
#pragma once

#include <string>
#include <vector>

#include "netlink/message.hpp"
#include "netlink/ruleset.hpp"
#include "netlink/socket.hpp"

namespace netlink::nft {

/// A message of a transaction, and what it does in words: "rule of chain input: ct state ...".
struct Step {
    Message message;
    std::string what;
};

/// Creates what is missing of the table and replaces all of its rules; elements of its sets stay.
std::vector<Step> installation_of(const Ruleset& ruleset);
/// Whether the table is there or not.
std::vector<Step> removal();

/// Puts the table in place in one transaction. One whose sets or chains have another shape (another version's) is
/// replaced as a whole, without its elements. Throws std::system_error that says what the kernel refuses.
void install(Socket& socket, const Ruleset& ruleset);

/// Throws std::system_error.
void remove(Socket& socket);

/// Whether the table has these rules and no others. Throws std::system_error.
bool is_in_place(Socket& socket, const Ruleset& ruleset);

}  // namespace netlink::nft
