// Finds entries of connection tracking that send a client to where nobody serves any more, or has not served yet. Pure.
//
// A UDP client that keeps its port keeps its entry for as long as it asks. Reference: kube-proxy's
// pkg/proxy/conntrack/cleanup.go: an entry to a UDP front end is stale when its answers do not come from a serving
// endpoint; so are entries from before the front end was there, which lead to the front end's own address. Services
// without serving endpoints are left alone. kube-proxy counts terminating endpoints as serving, whichever the policy
// chooses; here a real server with a weight serves, because IPVS cuts a flow with its real server anyway: the first
// datagram after that is lost when the entry is still there, and goes to another real server when it is not.
//
// A client of TCP that came before its front end sends its first segment again until somebody answers. By then its
// entry is decided on: IPVS would carry it, but not masqueraded, and connection tracking could not place what follows
// (ip_vs_update_conntrack() and nf_nat_setup_info() leave a confirmed entry as it is). Such segments are dropped
// (netlink/ruleset.cpp, chain "early") until the entry is removed. kube-proxy leaves such clients unanswered.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "netlink/conntrack.hpp"
#include "netlink/ipvs_connections.hpp"
#include "netlink/state.hpp"
#include "proxy/engine/desired.hpp"

namespace proxy {

/// Whether entries to the virtual server of a change that the kernel has accepted may be stale now. `mirror`: the
/// kernel after that change.
bool may_leave_stale_flows(const netlink::Change& change, const netlink::KernelState& mirror);

/// UDP front ends, and the real servers that serve behind them. A Service's front ends share theirs: traffic policies
/// choose among them for new clients and are no reason to move a client that has one. Those that are chosen by a mark
/// count too.
class UdpFrontEnds {
public:
    /// All of the Services that have one of `changed`.
    UdpFrontEnds(const Desired& desired, const std::set<netlink::VirtualServer>& changed);

    bool is_stale(const netlink::Flow& flow) const;

    /// Whether there is one of IPv6, or of IPv4.
    bool has(bool ipv6) const { return ipv6 ? has_ipv6_ : has_ipv4_; }

private:
    void add(const std::vector<netlink::VirtualServer>& servers, const Desired& desired);

    std::vector<std::set<netlink::RealServer>> serving_;     // of a Service each
    std::map<netlink::VirtualServer, std::size_t> servers_;  // place in serving_
    bool has_ipv4_ = false;
    bool has_ipv6_ = false;
};

/// Whether clients that came before it may have such entries: it is of TCP or SCTP.
bool may_have_early_clients(const netlink::VirtualServer& server);

/// The clients that came before some front ends that may_have_early_clients().
class EarlyClients {
public:
    explicit EarlyClients(std::vector<netlink::VirtualServer> servers);

    /// Nobody has answered, and the entry leads to the front end itself: IPVS has had no part in it.
    bool is_stale(const netlink::Flow& flow) const;

    /// Whether there is a front end of that protocol and family.
    bool has(netlink::Protocol protocol, bool ipv6) const { return kinds_.contains({protocol, ipv6}); }

private:
    std::vector<netlink::VirtualServer> servers_;  // sorted
    std::set<std::pair<netlink::Protocol, bool>> kinds_;
};

/// Those of `flows` that IPVS has no connection of. One that it carries although its entry is an early client's,
/// because another program led it there, is under way: without its entry it would be masqueraded from its next segment
/// on, and so be cut.
std::vector<netlink::Flow> not_carried(
    std::span<const netlink::Flow> flows,
    const std::function<void(const std::function<void(const netlink::ipvs::Connection&)>&)>& each_connection);

}  // namespace proxy
