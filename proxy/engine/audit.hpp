// What an audit does with a part of the kernel that it has read. Pure.
#pragma once

#include <functional>

#include "netlink/kernel.hpp"
#include "proxy/engine/wish_list.hpp"

namespace proxy {

/// Brings that part of the mirror to what is there, and returns what differed. Real servers stay as they are in the
/// mirror; a virtual server that it has not is added, without any, when `is_ours`. Costs the part, and for what
/// differs the logarithm of the mirror.
Touched follow(netlink::KernelState& mirror, const netlink::Part& part, const netlink::KernelState& actual,
               const std::function<bool(const netlink::VirtualServer&)>& is_ours);

}  // namespace proxy
