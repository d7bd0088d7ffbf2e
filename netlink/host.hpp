// What this host has: addresses of its interfaces, its routes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "netlink/objects.hpp"

struct nlmsghdr;

namespace netlink {

struct HostAddress {
    Address address;
    int prefix_length = 0;
    std::string interface;
    bool passing = false;  ///< temporary, deprecated, or not known to be unique
    bool operator==(const HostAddress&) const = default;
};

/// A unicast route of table main; one for each next hop.
struct HostRoute {
    base::Prefix destination;
    std::string interface;
    std::uint32_t metric = 0;
    std::optional<Address> source;  ///< `src`: the address that connections leave with
    bool operator==(const HostRoute&) const = default;
};

/// Throw std::system_error when the kernel cannot be asked.
std::vector<HostAddress> host_addresses();
std::vector<HostRoute> host_routes();

/// One message of a dump; nothing when it is not such an object of the family.
std::optional<HostAddress> parse_host_address(nlmsghdr* header, int family);
std::vector<HostRoute> parse_host_routes(nlmsghdr* header, int family);

/// The address that this host's connections to the world leave with; nullopt without a default route.
std::optional<Address> default_source(bool v6);

/// Whether the kernel runs with IPv6 and has it on on that interface (sysctl disable_ipv6); of one that is not there,
/// on those that come.
bool ipv6_is_on(const std::string& interface);

}  // namespace netlink
