// Runs `podferry node --init-only`, the privileged step before a podferry that may not.
#pragma once

#include <string>

#include "proxy/node/node.hpp"

namespace proxy {

struct InitOptions {
    bool modules = true;  ///< load the kernel's modules: takes CAP_SYS_MODULE, and /lib/modules of the host
    bool sysctls = true;  ///< set the sysctls and IPVS's timeouts: takes CAP_NET_ADMIN
    std::string proc_sys = "/proc/sys";  ///< where the host's sysctls are
};

/// Says what it has done and what it could not. Returns the exit status: 0, also when some could not be put in place,
/// or 1 when this kernel cannot carry podferry.
int run_init(const NodeOptions& options, const InitOptions& init);

}  // namespace proxy
