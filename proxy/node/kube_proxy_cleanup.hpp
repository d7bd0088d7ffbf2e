// `podferry cleanup --kube-proxy`.
#pragma once

#include "proxy/config/config.hpp"

namespace proxy {

/// Removes what kube-proxy has left in the kernel, beside a podferry that runs or without one; virtual servers that are
/// ours stay. Prints what went, and what the kernel refuses. Returns the exit status.
int clean_up_after_kube_proxy(const Config& config);

}  // namespace proxy
