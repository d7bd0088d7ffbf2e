#include "proxy/plan/special_addresses.hpp"

#include <array>

#include "api/objects/types.hpp"

namespace proxy {
namespace {

/// "This host on this network" (RFC 1122): Linux treats all but 0.0.0.0 as ordinary addresses, nobody else does.
bool is_of_this_network(const base::Address& address) {
    return address.is_v4() && address.number() >> 24 == 0;
}

/// Whoever has such an address for a virtual server has IPv4 traffic: of mapped and compatible addresses (RFC 4291
/// 2.5.5), and of those that a NAT64 gateway translates (RFC 6052, RFC 8215).
bool holds_ipv4(const base::Address& address) {
    static const std::array<base::Prefix, 4> forms = {
        *base::parse_prefix("::/96"), *base::parse_prefix("::ffff:0:0/96"), *base::parse_prefix("64:ff9b::/96"),
        *base::parse_prefix("64:ff9b:1::/48")};
    for (const base::Prefix& form : forms)
        if (contains(form, address))
            return true;
    return false;
}

}  // namespace

std::string special_kind(const base::Address& address, const std::set<base::Address>& broadcasts) {
    if (address.is_unspecified() || is_of_this_network(address))
        return "an unspecified address";
    if (address.is_loopback())
        return "a loopback address";
    if (address.is_multicast())
        return "a multicast address";
    if (address.is_link_local())
        return "a link-local address";
    if (address == base::Address::v4(0xffffffff) || broadcasts.contains(address))
        return "a broadcast address";
    if (address.is_v6() && holds_ipv4(address))
        return "an IPv4 address in the form of IPv6";
    return {};
}

}  // namespace proxy
