// Sets of ports as the kernel writes them: "8080,30000-32767" (net.ipv4.ip_local_reserved_ports, proc_do_large_bitmap()
// in kernel/sysctl.c).
#pragma once

#include <bitset>
#include <optional>
#include <string>
#include <string_view>

namespace proxy {

using PortSet = std::bitset<65536>;

/// Empty text is the empty set; nullopt when it is not a list of ports and ranges.
std::optional<PortSet> parse_ports(std::string_view text);

/// Sorted, neighbours joined: the kernel's own form.
std::string to_string(const PortSet& ports);

}  // namespace proxy
