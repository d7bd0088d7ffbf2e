// Words of IPVS's texts in /proc/net (ip_vs_info_seq_show(), ip_vs_conn_seq_show()).
#pragma once

#include <optional>
#include <string_view>

#include "base/numbers.hpp"
#include "netlink/objects.hpp"

namespace netlink::ipvs {

/// "0A600005", or "fd00:0096:0000:0000:0000:0000:0000:0005".
std::optional<Address> read_address(std::string_view word);

/// "TCP", "UDP", "SCTP"; nullopt: another word.
std::optional<Protocol> read_protocol(std::string_view word);

}  // namespace netlink::ipvs
