#include "netlink/nfnetlink.hpp"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>

#include <cstdint>

namespace netlink {

Message nfnetlink_message(int subsystem, int type, int family, int flags, std::size_t size, int resource) {
    Message message(size);
    nlmsg_put(message.get(), 0, 0, (subsystem << 8) | type, 0, flags);
    nfgenmsg body{};
    body.nfgen_family = static_cast<__u8>(family);
    body.version = NFNETLINK_V0;
    body.res_id = htons(static_cast<std::uint16_t>(resource));
    nlmsg_append(message.get(), &body, sizeof(body), NLMSG_ALIGNTO);
    return message;
}

}  // namespace netlink
