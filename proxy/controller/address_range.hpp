// Ranges of addresses as pools have them: from one address to another of the same family. Pure values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.hpp"

namespace proxy {

struct AddressRange {
    base::Address first;
    base::Address last;  ///< of the same family, not before `first`
    auto operator<=>(const AddressRange&) const = default;

    bool contains(const base::Address& address) const {
        return address.is_v6() == first.is_v6() && first <= address && address <= last;
    }
};

/// "192.0.2.0/24", "192.0.2.10-192.0.2.20" or "192.0.2.7"; nullopt for any other text, for host bits that are set and
/// for a range that ends before it begins.
std::optional<AddressRange> parse_address_range(std::string_view text);

/// "192.0.2.10-192.0.2.20"; one address alone.
std::string to_string(const AddressRange& range);

bool overlap(const AddressRange& a, const AddressRange& b);

/// The one after it; nullopt after the last of its family.
std::optional<base::Address> next_address(const base::Address& address);

/// An IPv4 address that ends in .0 or .255: some old routers and hosts take it for a network's or its broadcast
/// address.
bool confuses_old_hosts(const base::Address& address);

/// How many addresses it has, at most 2^32; without those that confuse old hosts, if `avoid`.
std::uint64_t count_of(const AddressRange& range, bool avoid);

}  // namespace proxy
