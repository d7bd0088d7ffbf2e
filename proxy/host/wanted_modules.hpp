// The kernel's modules that a node needs.
#pragma once

#include <vector>

#include "netlink/kernel_modules.hpp"
#include "proxy/config/config.hpp"

namespace proxy {

/// Lists them in the order in which they are to be loaded. A kernel may have some of them built in, and an older or
/// newer one may have them inside of others.
std::vector<netlink::KernelModule> wanted_modules(const Config& config);

}  // namespace proxy
