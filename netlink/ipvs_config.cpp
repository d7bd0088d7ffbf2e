#include "netlink/ipvs_config.hpp"

#include <linux/ip_vs.h>
#include <netlink/genl/genl.h>

#include "netlink/received.hpp"

namespace netlink::ipvs {
namespace {

Message command(int family, int id) {
    Message message;
    genlmsg_put(message.get(), 0, 0, family, 0, 0, static_cast<std::uint8_t>(id), IPVS_GENL_VERSION);
    return message;
}

}  // namespace

Timeouts with_present(Timeouts wanted, const Timeouts& present) {
    const auto either = [](std::uint32_t first, std::uint32_t second) { return first != 0 ? first : second; };
    return {either(wanted.tcp, present.tcp), either(wanted.tcp_fin, present.tcp_fin), either(wanted.udp, present.udp)};
}

Message get_config(int family) {
    return command(family, IPVS_CMD_GET_CONFIG);
}

Message set_config(int family, const Timeouts& timeouts) {
    Message message = command(family, IPVS_CMD_SET_CONFIG);
    nla_put_u32(message.get(), IPVS_CMD_ATTR_TIMEOUT_TCP, timeouts.tcp);
    nla_put_u32(message.get(), IPVS_CMD_ATTR_TIMEOUT_TCP_FIN, timeouts.tcp_fin);
    nla_put_u32(message.get(), IPVS_CMD_ATTR_TIMEOUT_UDP, timeouts.udp);
    return message;
}

std::optional<Timeouts> parse_config(nlmsghdr* header) {
    nlattr* found[IPVS_CMD_ATTR_MAX + 1] = {};
    if (genlmsg_parse(header, 0, found, IPVS_CMD_ATTR_MAX, nullptr) < 0 || found[IPVS_CMD_ATTR_TIMEOUT_TCP] == nullptr)
        return std::nullopt;
    const auto seconds = [&](int attribute) { return value_of<std::uint32_t>(found[attribute]).value_or(0); };
    return Timeouts{seconds(IPVS_CMD_ATTR_TIMEOUT_TCP), seconds(IPVS_CMD_ATTR_TIMEOUT_TCP_FIN),
                    seconds(IPVS_CMD_ATTR_TIMEOUT_UDP)};
}

Message get_info(int family) {
    return command(family, IPVS_CMD_GET_INFO);
}

std::optional<std::uint32_t> parse_table_size(nlmsghdr* header) {
    nlattr* found[IPVS_INFO_ATTR_MAX + 1] = {};
    if (genlmsg_parse(header, 0, found, IPVS_INFO_ATTR_MAX, nullptr) < 0)
        return std::nullopt;
    return value_of<std::uint32_t>(found[IPVS_INFO_ATTR_CONN_TAB_SIZE]);
}

}  // namespace netlink::ipvs
