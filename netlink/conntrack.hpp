// Connection tracking (nf_conntrack) over nfnetlink: its entries, and the removal of some. Reference:
// net/netfilter/nf_conntrack_netlink.c.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "netlink/objects.hpp"
#include "netlink/socket.hpp"

namespace netlink {

/// One entry, as its first packet came and as its answers come.
struct Flow {
    RealServer client;                ///< source of the original direction
    VirtualServer to;                 ///< destination of the original direction, as the client wrote it
    RealServer answerer;              ///< source of the reply direction: where the packets really go
    std::uint16_t zone = 0;           ///< 0: the default zone
    std::optional<std::uint32_t> id;  ///< distinguishes it from a later entry of the same addresses and ports
    bool answered = false;            ///< a packet of the reply direction has been seen
};

class Conntrack {
public:
    /// Throws std::system_error.
    Conntrack() = default;

    /// Calls `visit` for each UDP entry of IPv4, or of IPv6, as it comes: the table may be larger than what one wants
    /// to hold. The kernel leaves out other protocols since 5.8; before, that is done here. False when the dump was
    /// interrupted by a change of the table: then some may have been missed, or seen twice. Throws std::system_error;
    /// EINVAL or EOPNOTSUPP when the kernel has no nf_conntrack_netlink.
    bool each_udp(bool ipv6, const std::function<void(const Flow&)>& visit);

    /// The same for entries of a protocol with ports that have not been answered. The kernel leaves out others since
    /// 5.15; before, that is done here.
    bool each_unanswered(Protocol protocol, bool ipv6, const std::function<void(const Flow&)>& visit);

    /// Removes the entries; returns how many were there. One that is gone, or whose addresses and ports are used by
    /// another entry now, is none of our business any more. Throws std::system_error.
    std::size_t remove(std::span<const Flow> flows);

private:
    Socket socket_{NETLINK_NETFILTER};
};

namespace conntrack {

/// The messages, for tests.
Message dump_of(Protocol protocol, bool ipv6, bool unanswered_only);
Message deletion(const Flow& flow);
/// nullopt: not an entry of UDP, TCP or SCTP.
std::optional<Flow> parse(nlmsghdr* message);

}  // namespace conntrack
}  // namespace netlink
