// Policy routing: packets with our mark go to this host, whatever their address (ip-rule(8); ip-route(8), type local).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "netlink/ruleset.hpp"
#include "netlink/socket.hpp"

namespace netlink {

/// `ip rule add fwmark VALUE/MASK lookup TABLE pref PREFERENCE protocol PROTOCOL` and
/// `ip route add local default dev podferry0 table TABLE protocol PROTOCOL`.
struct PolicyRoute {
    Fwmark fwmark;
    int table = 159;
    int preference = 159;
    int protocol = 159;  ///< marks rule and route as ours
    int interface = 0;
};

/// What is told of a rule of ours.
struct PolicyRule {
    std::uint32_t value = 0;
    std::uint32_t mask = 0;
    std::uint32_t table = 0;
    std::uint32_t preference = 0;
    bool operator==(const PolicyRule&) const = default;
};
/// nullopt when the message is not a rule of the family and the protocol.
std::optional<PolicyRule> parse_policy_rule(nlmsghdr* header, int family, int protocol);

/// Puts in place what is missing in the family (AF_INET, AF_INET6) and removes rules of our protocol that are
/// different. Returns what had to be done, in words. Throws std::system_error. From the first rule that is not the
/// kernel's own on, each search for a route goes through the list of rules (fib_lookup() in include/net/ip_fib.h), also
/// when that rule has been removed.
std::vector<std::string> ensure_policy_route(Socket& socket, const PolicyRoute& wanted, int family);

/// Whether the family has a rule of the protocol. Throws std::system_error.
bool has_policy_rule(Socket& socket, int protocol, int family);

/// Removes all rules of the protocol; the routes go with the device. Throws std::system_error.
void remove_policy_rules(Socket& socket, int protocol);

}  // namespace netlink
