// What podferry needs of the machine, checked at the start.
#pragma once

#include <string>
#include <vector>

#include "netlink/kernel_modules.hpp"

namespace netlink {

/// The module ip_vs with a connection table of 2^conn_tab_bits lists (8..20), unless modprobe's configuration says
/// another size.
KernelModule ipvs_module(int conn_tab_bits);

/// One sentence for each thing that is missing: what, and how to get it. Loads the module ip_vs where it can. Asking
/// for IPVS and nftables makes the kernel load them itself, where it can (kernel.modprobe).
std::vector<std::string> missing_capabilities(int conn_tab_bits);

/// The same, for a process that may load modules but not administer the network.
std::vector<std::string> missing_modules(int conn_tab_bits);

}  // namespace netlink
