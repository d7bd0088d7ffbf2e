// spec.loadBalancerSourceRanges of one address family. Pure.
#pragma once

#include <memory>
#include <set>
#include <vector>

#include "api/objects/types.hpp"
#include "netlink/objects.hpp"

namespace proxy {

/// Who may connect to load balancers' addresses of one family, as networks that do not overlap and that the kernel's
/// sets can hold (netlink::source_length_step; up to 8 for a range). Made once for all front ends of a Service, which
/// share the networks.
class AllowedSources {
public:
    using Network = std::shared_ptr<const base::Prefix>;

    /// Everybody.
    AllowedSources() = default;
    /// Everybody, when there is no range of the family (kube-proxy splits the list by family and reads an empty one as
    /// none), or one of them is everything.
    AllowedSources(const std::vector<base::Prefix>& ranges, bool ipv6, const std::set<api::Address>& own_addresses);

    bool everybody() const { return widest_.empty(); }
    const std::vector<Network>& networks() const { return networks_; }

    /// When a range contains an address of this node, so may `vip` itself connect: a node whose interface has that
    /// address uses it as its source (kube-proxy's allowFromNode). nullptr: it may already, or may not.
    Network also(const api::Address& vip) const;

private:
    bool has(const api::Address& address) const;

    std::vector<base::Prefix> widest_;  // by address; apart
    std::vector<Network> networks_;
    bool has_own_ = false;
};

/// There are ranges, but none of that family.
bool only_other_family(const std::vector<base::Prefix>& ranges, bool ipv6);

}  // namespace proxy
