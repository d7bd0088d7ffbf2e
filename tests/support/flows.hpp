// Entries of connection tracking, made up.
#pragma once

#include "netlink/conntrack.hpp"

namespace testing {

/// The entry as a dump shows it, and as the kernel takes it in.
netlink::Message entry(const netlink::Flow& flow);

}  // namespace testing
