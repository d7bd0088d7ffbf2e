// Kernel settings that the data path needs.
#pragma once

#include <string>
#include <vector>

namespace netlink {

struct Sysctl {
    std::string name;  ///< "net.ipv4.vs.conntrack"
    std::string value;
};

/// Without them connections break: conntrack for masquerade after IPVS, forwarding, and an end to the connections of
/// real servers that are gone (net/netfilter/ipvs/ip_vs_core.c, expire_nodest_conn and expire_quiescent_template).
const std::vector<Sysctl>& required_sysctls();

/// True when the value had to be written, false when it was there. Throws std::runtime_error with a sentence.
bool set_sysctl(const Sysctl& wanted);

/// Without the final newline; empty when there is no such setting.
std::string read_sysctl(const std::string& name);

}  // namespace netlink
