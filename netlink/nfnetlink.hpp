// How messages of netfilter's netlink begin (nfnetlink: nf_tables, connection tracking, ipset).
#pragma once

#include <cstddef>

#include "netlink/message.hpp"

namespace netlink {

/// `subsystem`: NFNL_SUBSYS_*; `type`: the subsystem's; `family`: NFPROTO_*; `flags`: NLM_F_*; `size`: as Message has
/// it; `resource`: of a batch's begin and end, the subsystem that it is for.
Message nfnetlink_message(int subsystem, int type, int family, int flags, std::size_t size = Message::usual_size,
                          int resource = 0);

}  // namespace netlink
