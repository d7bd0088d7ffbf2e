// Translates the configuration into what netlink is to put into the kernel once; networks come later (networks.hpp).
// Pure.
#pragma once

#include "netlink/linux_kernel.hpp"
#include "proxy/config/config.hpp"

namespace proxy {

netlink::LinuxKernelOptions kernel_options(const Config& config);

}  // namespace proxy
