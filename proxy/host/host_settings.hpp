// Puts the host's settings in place: the I/O around limits.hpp.
#pragma once

#include <string>
#include <vector>

#include "netlink/linux_kernel.hpp"
#include "netlink/sysctl.hpp"
#include "proxy/config/config.hpp"

namespace proxy {

struct HostSettingsPut {
    std::vector<std::string> done;       ///< what had to be put in place, for the log
    std::vector<std::string> problems;   ///< what cannot be put in place here, in sentences
    std::vector<std::string> read_only;  ///< those sysctls among the problems that a read-only file system shows
};

/// What is different is written. `folder` is where the sysctls are. What cannot be written is a problem, and no reason
/// to stop; throws std::system_error when IPVS cannot be spoken to.
HostSettingsPut put_host_settings(const Config& config, netlink::LinuxKernel& kernel,
                                  const std::string& folder = netlink::proc_sys);

/// Takes back the reservation of node ports when all of it is ours. Returns what was done, or why not; empty when
/// nothing has been reserved.
std::string release_node_ports(const Config& config, const std::string& folder = netlink::proc_sys);

}  // namespace proxy
