// Which UDP entries of connection tracking send a client to where nobody serves any more. Pure.
//
// A UDP client that keeps its port keeps its entry for as long as it asks. Reference: kube-proxy's
// pkg/proxy/conntrack/cleanup.go: an entry to a UDP front end is stale when its answers do not come from a serving
// endpoint; so are entries from before the front end was there, which lead to the front end's own address. Services
// without serving endpoints are left alone. kube-proxy counts terminating endpoints as serving, whichever the policy
// chooses; here a real server with a weight serves, because IPVS cuts a flow with its real server anyway: the first
// datagram after that is lost when the entry is still there, and goes to another real server when it is not.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "netlink/conntrack.hpp"
#include "netlink/state.hpp"
#include "proxy/desired.hpp"

namespace proxy {

/// Whether entries to the virtual server of a change that the kernel has taken may be stale now. `mirror`: the kernel
/// after that change.
bool may_leave_stale_flows(const netlink::Change& change, const netlink::KernelState& mirror);

/// UDP front ends, and the real servers that serve behind them. A Service's front ends share theirs: traffic policies
/// choose among them for new clients and are no reason to move a client that has one. Those that are chosen by a mark
/// count too.
class UdpFrontEnds {
public:
    /// All of the Services that have one of `changed`.
    UdpFrontEnds(const Desired& desired, const std::set<netlink::VirtualServer>& changed);

    bool is_stale(const netlink::UdpFlow& flow) const;

    /// Whether there is one of IPv6, or of IPv4.
    bool has(bool ipv6) const { return ipv6 ? has_ipv6_ : has_ipv4_; }

private:
    void add(const std::vector<netlink::VirtualServer>& servers, const Desired& desired);

    std::vector<std::set<netlink::RealServer>> serving_;     // of a Service each
    std::map<netlink::VirtualServer, std::size_t> servers_;  // place in serving_
    bool has_ipv4_ = false;
    bool has_ipv6_ = false;
};

}  // namespace proxy
