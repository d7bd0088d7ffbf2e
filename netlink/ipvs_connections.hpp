// IPVS's connections, of which netlink does not tell: /proc/net/ip_vs_conn. Reference: ip_vs_conn_seq_show() in
// net/netfilter/ipvs/ip_vs_conn.c.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "netlink/objects.hpp"

namespace netlink::ipvs {

struct Connection {
    RealServer client;
    VirtualServer to;  ///< as the client wrote it, also when it was a mark that chose the real server
    auto operator<=>(const Connection&) const = default;
};

/// nullopt: not a connection of TCP, UDP or SCTP.
std::optional<Connection> parse_connection(std::string_view line);

/// Calls `visit` for each connection of this network namespace, as it comes: a million of them take seconds. Throws
/// std::runtime_error when they cannot be read.
void each_connection(const std::function<void(const Connection&)>& visit);

}  // namespace netlink::ipvs
