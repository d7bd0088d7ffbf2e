// What IPVS has once for a network namespace: timeouts, and the size of its connection table.
// Kernel: net/netfilter/ipvs/ip_vs_ctl.c, ip_vs_genl_set_config(), ip_vs_genl_get_cmd().
#pragma once

#include <cstdint>
#include <optional>

#include "netlink/message.hpp"

namespace netlink::ipvs {

/// Seconds, 0..2,000,000; 0 leaves the present one as it is.
struct Timeouts {
    std::uint32_t tcp = 0;      ///< an established connection without packets
    std::uint32_t tcp_fin = 0;  ///< after a FIN
    std::uint32_t udp = 0;      ///< a flow without datagrams
    bool operator==(const Timeouts&) const = default;
};

/// `wanted` with what it leaves open filled in from `present`: what is there once it is set.
Timeouts with_present(Timeouts wanted, const Timeouts& present);

Message get_config(int family);
Message set_config(int family, const Timeouts& timeouts);
/// The answer to get_config(); nullopt when it is another message.
std::optional<Timeouts> parse_config(nlmsghdr* header);

Message get_info(int family);
/// The number of lists in the connection table, out of the answer to get_info().
std::optional<std::uint32_t> parse_table_size(nlmsghdr* header);

}  // namespace netlink::ipvs
