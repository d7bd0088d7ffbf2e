// spec.loadBalancerSourceRanges of one address family. Pure.
#pragma once

#include <optional>
#include <set>
#include <vector>

#include "api/types.hpp"
#include "netlink/objects.hpp"

namespace proxy {

/// Who may connect to a load balancer's address `vip`, as networks that do not overlap and that the kernel's sets can
/// hold (netlink::source_length_step; up to 8 for a range); nullopt: everybody. That is so when there is no range of
/// the family (kube-proxy splits the list by family and takes an empty one for none), or one of them is everything.
/// When a range contains an address of this node, so may `vip` itself: a node whose interface has that address uses it
/// as its source (kube-proxy's allowFromNode).
std::optional<std::vector<netlink::SourceNetwork>> allowed_sources(const std::vector<api::Network>& ranges,
                                                                   const api::Address& vip,
                                                                   const std::set<api::Address>& own_addresses);

/// There are ranges, but none of the family of `vip`.
bool only_other_family(const std::vector<api::Network>& ranges, const api::Address& vip);

}  // namespace proxy
