// Address ranges in CIDR form. Pure values.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.hpp"

namespace base {

/// A CIDR block; bits of `address` behind the prefix are zero.
struct Prefix {
    Address address;
    int length = 0;  ///< 0..32 or 0..128
    /// Orders by address; of those that begin together the widest is first.
    auto operator<=>(const Prefix&) const = default;
};

/// "10.96.0.0/16" or "fd00::/112"; nullopt when it is not a CIDR, or when host bits are set.
std::optional<Prefix> parse_prefix(std::string_view text);

/// The same, but host bits are cleared, as Go's net.ParseCIDR does it: "10.96.7.1/16" is 10.96.0.0/16.
std::optional<Prefix> parse_network(std::string_view text);

/// The network of an address that its first `length` bits name.
Prefix network_of(const Address& address, int length);

std::string to_string(const Prefix& prefix);

bool contains(const Prefix& prefix, const Address& address);
bool overlap(const Prefix& a, const Prefix& b);

/// RFC 1918, RFC 6598 and RFC 4193 space.
bool is_private(const Prefix& prefix);

/// Number of addresses, capped at 2^32.
std::uint64_t size_of(const Prefix& prefix);

/// The address `offset` places after the first; offset < size_of(prefix).
Address address_at(const Prefix& prefix, std::uint64_t offset);

}  // namespace base
