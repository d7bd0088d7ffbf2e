// Entries of connection tracking, made up.
#pragma once

#include "netlink/conntrack.hpp"

namespace testing {

/// The entry as a dump shows it, and as the kernel takes it in; `protocol`: that of the reply direction.
netlink::Message entry(const netlink::UdpFlow& flow, int protocol = 17);

}  // namespace testing
