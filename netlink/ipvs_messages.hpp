// IPVS over generic netlink (family "IPVS", include/uapi/linux/ip_vs.h; kernel: net/netfilter/ipvs/ip_vs_ctl.c).
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "netlink/message.hpp"
#include "netlink/objects.hpp"
#include "netlink/state.hpp"

namespace netlink::ipvs {

Message add_service(int family, const VirtualServer& server, const VirtualServerSettings& settings);
Message set_service(int family, const VirtualServer& server, const VirtualServerSettings& settings);
Message delete_service(int family, const VirtualServer& server);
Message add_destination(int family, const VirtualServer& server, const RealServer& real, int weight);
Message set_destination(int family, const VirtualServer& server, const RealServer& real, int weight);
Message delete_destination(int family, const VirtualServer& server, const RealServer& real);

/// Dump requests.
Message get_services(int family);
Message get_destinations(int family, const VirtualServer& server);

/// One message of a dump; nullopt for a fwmark server, and for protocols that podferry does not program.
std::optional<std::pair<VirtualServer, VirtualServerSettings>> parse_service(nlmsghdr* header);

/// A destination that is not forwarded by NAT has weight -1, which nobody wants: it will be edited.
std::optional<std::pair<RealServer, int>> parse_destination(nlmsghdr* header, const VirtualServer& server);

/// Connections of a destination, of a message as above: active, inactive, and templates of affinity.
std::uint64_t parse_connections(nlmsghdr* header);

/// The destination's connections, active and inactive, in the same message.
std::optional<std::pair<RealServer, std::uint64_t>> parse_open_connections(nlmsghdr* header,
                                                                           const VirtualServer& server);

}  // namespace netlink::ipvs
