#include "netlink/ipvs_messages.hpp"

#include <arpa/inet.h>
#include <linux/ip_vs.h>
#include <netlink/genl/genl.h>

#include <cstring>

namespace netlink::ipvs {
namespace {

Message command(int family, int id, int flags) {
    Message message;
    genlmsg_put(message.get(), 0, 0, family, 0, flags, static_cast<std::uint8_t>(id), IPVS_GENL_VERSION);
    return message;
}

/// union nf_inet_addr: always 16 bytes.
void put_union(const Message& message, int attribute, const Address& address) {
    put(message, attribute, address.padded().data(), address.padded().size());
}

Address address_in(const nlattr* attribute, bool v6) {
    return Address({static_cast<const std::uint8_t*>(nla_data(attribute)), v6 ? std::size_t{16} : std::size_t{4}});
}

void put_key(const Message& message, const VirtualServer& server) {
    put_u16(message, IPVS_SVC_ATTR_AF, static_cast<std::uint16_t>(family_of(server.address)));
    if (server.mark != 0) {
        put_u32(message, IPVS_SVC_ATTR_FWMARK, server.mark);
        return;
    }
    put_u16(message, IPVS_SVC_ATTR_PROTOCOL, static_cast<std::uint16_t>(server.protocol));
    put_union(message, IPVS_SVC_ATTR_ADDR, server.address);
    put_u16(message, IPVS_SVC_ATTR_PORT, htons(server.port));
}

void put_settings(const Message& message, const VirtualServer& server, const VirtualServerSettings& settings) {
    const ip_vs_flags flags{
        (settings.persistent ? static_cast<__u32>(IP_VS_SVC_F_PERSISTENT) : 0U) | settings.scheduler_flags, ~0U};
    put(message, IPVS_SVC_ATTR_SCHED_NAME, settings.scheduler.c_str(), settings.scheduler.size() + 1);
    put(message, IPVS_SVC_ATTR_FLAGS, &flags, sizeof(flags));
    put_u32(message, IPVS_SVC_ATTR_TIMEOUT, settings.persistence_s);
    put_u32(message, IPVS_SVC_ATTR_NETMASK, server.address.is_v6() ? 128 : 0xffffffff);
}

void put_service(const Message& message, const VirtualServer& server, const VirtualServerSettings* settings = nullptr) {
    const Nest nest(message, IPVS_CMD_ATTR_SERVICE);
    put_key(message, server);
    if (settings != nullptr)
        put_settings(message, server, *settings);
}

void put_destination(const Message& message, const RealServer& real, const int* weight) {
    const Nest nest(message, IPVS_CMD_ATTR_DEST);
    put_union(message, IPVS_DEST_ATTR_ADDR, real.address);
    put_u16(message, IPVS_DEST_ATTR_ADDR_FAMILY, static_cast<std::uint16_t>(family_of(real.address)));
    put_u16(message, IPVS_DEST_ATTR_PORT, htons(real.port));
    if (weight == nullptr)
        return;
    put_u32(message, IPVS_DEST_ATTR_FWD_METHOD, IP_VS_CONN_F_MASQ);
    put_u32(message, IPVS_DEST_ATTR_WEIGHT, static_cast<std::uint32_t>(*weight));
    put_u32(message, IPVS_DEST_ATTR_U_THRESH, 0);
    put_u32(message, IPVS_DEST_ATTR_L_THRESH, 0);
}

Message service(int family, int id, const VirtualServer& server, const VirtualServerSettings* settings) {
    Message message = command(family, id, 0);
    put_service(message, server, settings);
    return message;
}

Message destination(int family, int id, const VirtualServer& server, const RealServer& real, const int* weight) {
    Message message = command(family, id, 0);
    put_service(message, server);
    put_destination(message, real, weight);
    return message;
}

/// The attributes of the nested `object` of a dump message; false when it has none.
bool parse_object(nlmsghdr* header, int object, nlattr** attributes, int max) {
    nlattr* commands[IPVS_CMD_ATTR_MAX + 1] = {};
    if (genlmsg_parse(header, 0, commands, IPVS_CMD_ATTR_MAX, nullptr) < 0 || commands[object] == nullptr)
        return false;
    return nla_parse_nested(attributes, max, commands[object], nullptr) >= 0;
}

std::optional<VirtualServer> parse_key(nlattr** found) {
    const bool v6 = found[IPVS_SVC_ATTR_AF] != nullptr && nla_get_u16(found[IPVS_SVC_ATTR_AF]) == AF_INET6;
    if (found[IPVS_SVC_ATTR_FWMARK] != nullptr)
        return VirtualServer{v6 ? Address::any_v6() : Address(), Protocol::none, 0,
                             nla_get_u32(found[IPVS_SVC_ATTR_FWMARK])};
    if (found[IPVS_SVC_ATTR_ADDR] == nullptr || found[IPVS_SVC_ATTR_PROTOCOL] == nullptr ||
        found[IPVS_SVC_ATTR_PORT] == nullptr)
        return std::nullopt;
    const int protocol = nla_get_u16(found[IPVS_SVC_ATTR_PROTOCOL]);
    if (protocol != 6 && protocol != 17 && protocol != 132)
        return std::nullopt;
    return VirtualServer{address_in(found[IPVS_SVC_ATTR_ADDR], v6), static_cast<Protocol>(protocol),
                         ntohs(nla_get_u16(found[IPVS_SVC_ATTR_PORT]))};
}

/// From the attributes of a destination; nullopt when some are missing.
std::optional<RealServer> real_server(nlattr** found, const VirtualServer& server) {
    if (found[IPVS_DEST_ATTR_ADDR] == nullptr || found[IPVS_DEST_ATTR_PORT] == nullptr)
        return std::nullopt;
    const bool v6 = found[IPVS_DEST_ATTR_ADDR_FAMILY] != nullptr
                        ? nla_get_u16(found[IPVS_DEST_ATTR_ADDR_FAMILY]) == AF_INET6
                        : server.address.is_v6();
    return RealServer{address_in(found[IPVS_DEST_ATTR_ADDR], v6), ntohs(nla_get_u16(found[IPVS_DEST_ATTR_PORT]))};
}

}  // namespace

Message add_service(int family, const VirtualServer& server, const VirtualServerSettings& settings) {
    return service(family, IPVS_CMD_NEW_SERVICE, server, &settings);
}
Message set_service(int family, const VirtualServer& server, const VirtualServerSettings& settings) {
    return service(family, IPVS_CMD_SET_SERVICE, server, &settings);
}
Message delete_service(int family, const VirtualServer& server) {
    return service(family, IPVS_CMD_DEL_SERVICE, server, nullptr);
}
Message add_destination(int family, const VirtualServer& server, const RealServer& real, int weight) {
    return destination(family, IPVS_CMD_NEW_DEST, server, real, &weight);
}
Message set_destination(int family, const VirtualServer& server, const RealServer& real, int weight) {
    return destination(family, IPVS_CMD_SET_DEST, server, real, &weight);
}
Message delete_destination(int family, const VirtualServer& server, const RealServer& real) {
    return destination(family, IPVS_CMD_DEL_DEST, server, real, nullptr);
}

Message get_services(int family) {
    return command(family, IPVS_CMD_GET_SERVICE, NLM_F_DUMP);
}

Message get_destinations(int family, const VirtualServer& server) {
    Message message = command(family, IPVS_CMD_GET_DEST, NLM_F_DUMP);
    put_service(message, server);
    return message;
}

std::optional<std::pair<VirtualServer, VirtualServerSettings>> parse_service(nlmsghdr* header) {
    nlattr* found[IPVS_SVC_ATTR_MAX + 1] = {};
    if (!parse_object(header, IPVS_CMD_ATTR_SERVICE, found, IPVS_SVC_ATTR_MAX))
        return std::nullopt;
    const auto parsed = parse_key(found);
    if (!parsed)
        return std::nullopt;
    const VirtualServer& server = *parsed;
    VirtualServerSettings settings;
    if (found[IPVS_SVC_ATTR_SCHED_NAME] != nullptr)
        settings.scheduler = nla_get_string(found[IPVS_SVC_ATTR_SCHED_NAME]);
    if (found[IPVS_SVC_ATTR_FLAGS] != nullptr) {
        ip_vs_flags flags{};
        std::memcpy(&flags, nla_data(found[IPVS_SVC_ATTR_FLAGS]), sizeof(flags));
        settings.persistent = (flags.flags & IP_VS_SVC_F_PERSISTENT) != 0;
        settings.scheduler_flags = flags.flags & (scheduler_fallback | scheduler_port | scheduler_flag_3);
    }
    if (settings.persistent && found[IPVS_SVC_ATTR_TIMEOUT] != nullptr)
        settings.persistence_s = nla_get_u32(found[IPVS_SVC_ATTR_TIMEOUT]);
    return std::pair(server, settings);
}

std::optional<std::pair<RealServer, int>> parse_destination(nlmsghdr* header, const VirtualServer& server) {
    nlattr* found[IPVS_DEST_ATTR_MAX + 1] = {};
    if (!parse_object(header, IPVS_CMD_ATTR_DEST, found, IPVS_DEST_ATTR_MAX))
        return std::nullopt;
    const auto real = real_server(found, server);
    if (!real || found[IPVS_DEST_ATTR_WEIGHT] == nullptr)
        return std::nullopt;
    int weight = static_cast<int>(nla_get_u32(found[IPVS_DEST_ATTR_WEIGHT]));
    if (found[IPVS_DEST_ATTR_FWD_METHOD] != nullptr &&
        (nla_get_u32(found[IPVS_DEST_ATTR_FWD_METHOD]) & IP_VS_CONN_F_FWD_MASK) != IP_VS_CONN_F_MASQ)
        weight = -1;
    return std::pair(*real, weight);
}

std::optional<std::pair<RealServer, std::uint64_t>> parse_open_connections(nlmsghdr* header,
                                                                           const VirtualServer& server) {
    nlattr* found[IPVS_DEST_ATTR_MAX + 1] = {};
    if (!parse_object(header, IPVS_CMD_ATTR_DEST, found, IPVS_DEST_ATTR_MAX))
        return std::nullopt;
    const auto real = real_server(found, server);
    if (!real)
        return std::nullopt;
    std::uint64_t count = 0;
    for (const int kind : {IPVS_DEST_ATTR_ACTIVE_CONNS, IPVS_DEST_ATTR_INACT_CONNS})
        count += found[kind] != nullptr ? nla_get_u32(found[kind]) : 0;
    return std::pair(*real, count);
}

std::uint64_t parse_connections(nlmsghdr* header) {
    nlattr* found[IPVS_DEST_ATTR_MAX + 1] = {};
    std::uint64_t connections = 0;
    if (parse_object(header, IPVS_CMD_ATTR_DEST, found, IPVS_DEST_ATTR_MAX))
        for (const int count : {IPVS_DEST_ATTR_ACTIVE_CONNS, IPVS_DEST_ATTR_INACT_CONNS, IPVS_DEST_ATTR_PERSIST_CONNS})
            connections += found[count] == nullptr ? 0 : nla_get_u32(found[count]);
    return connections;
}

}  // namespace netlink::ipvs
