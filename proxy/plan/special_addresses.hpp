// Addresses that are nobody's in particular, or stand for another one. Pure.
#pragma once

#include <set>
#include <string>

#include "base/prefix.hpp"

namespace proxy {

/// What an address is that no pod and no virtual server can have: "a loopback address"; empty: an ordinary one.
/// `broadcasts`: those of the subnets of this node's interfaces. Wider than apimachinery's ValidateNonSpecialIP and
/// ValidateEndpointIP, which leave out broadcast addresses and IPv4 addresses in an IPv6 form.
std::string special_kind(const base::Address& address, const std::set<base::Address>& broadcasts);

}  // namespace proxy
