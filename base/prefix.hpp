// Address ranges in CIDR form. Pure values.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace base {

using Address = boost::asio::ip::address;

/// A CIDR block; host bits of `base` are zero.
struct Prefix {
    Address base;
    int length = 0;  ///< 0..32 or 0..128
    bool operator==(const Prefix&) const = default;
};

/// "10.96.0.0/16" or "fd00::/112"; nullopt when it is not a CIDR, or when host bits are set.
std::optional<Prefix> parse_prefix(std::string_view text);

/// The network of an address that its first `length` bits name.
Prefix network_of(const Address& address, int length);

std::string to_string(const Prefix& prefix);

bool contains(const Prefix& prefix, const Address& address);
bool overlap(const Prefix& a, const Prefix& b);

/// RFC 1918, RFC 6598 and RFC 4193 space.
bool is_private(const Prefix& prefix);

/// Number of addresses, capped at 2^32.
std::uint64_t size_of(const Prefix& prefix);

/// The address `offset` places after the base; offset < size_of(prefix).
Address address_at(const Prefix& prefix, std::uint64_t offset);

}  // namespace base
