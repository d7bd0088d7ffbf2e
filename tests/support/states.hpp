// Whole kernel states, as tests compare them.
#pragma once

#include <string>
#include <vector>

#include "netlink/state.hpp"

namespace testing {

/// ipvsadm-save form, then routes, then elements; sorted.
std::string to_text(const netlink::KernelState& state);

/// The changes that turn `actual` into `desired`, in the safe order.
std::vector<netlink::Change> difference(const netlink::KernelState& desired, const netlink::KernelState& actual);

}  // namespace testing
