#include "netlink/ipvs_messages.hpp"

#include <arpa/inet.h>
#include <linux/ip_vs.h>
#include <netlink/genl/genl.h>

#include "netlink/received.hpp"

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

/// nullopt when the attribute is too short for one.
std::optional<Address> address_in(const nlattr* attribute, bool v6) {
    const auto bytes = bytes_of(attribute);
    const std::size_t size = v6 ? 16 : 4;
    return bytes.size() < size ? std::nullopt : std::optional(Address(bytes.first(size)));
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

std::uint32_t number_in(const nlattr* attribute) {
    return value_of<std::uint32_t>(attribute).value_or(0);
}

std::optional<VirtualServer> parse_key(nlattr** found) {
    const bool v6 = value_of<std::uint16_t>(found[IPVS_SVC_ATTR_AF]) == AF_INET6;
    if (const std::uint32_t mark = number_in(found[IPVS_SVC_ATTR_FWMARK]); mark != 0)
        return VirtualServer{v6 ? Address::any_v6() : Address(), Protocol::none, 0, mark};
    const auto address = address_in(found[IPVS_SVC_ATTR_ADDR], v6);
    const auto protocol = value_of<std::uint16_t>(found[IPVS_SVC_ATTR_PROTOCOL]);
    const auto port = value_of<std::uint16_t>(found[IPVS_SVC_ATTR_PORT]);
    if (!address || !port || (protocol != 6 && protocol != 17 && protocol != 132))
        return std::nullopt;
    return VirtualServer{*address, static_cast<Protocol>(*protocol), ntohs(*port)};
}

/// Reads the attributes of a destination; nullopt when some are missing.
std::optional<RealServer> real_server(nlattr** found, const VirtualServer& server) {
    const auto family = value_of<std::uint16_t>(found[IPVS_DEST_ATTR_ADDR_FAMILY]);
    const auto address = address_in(found[IPVS_DEST_ATTR_ADDR], family ? *family == AF_INET6 : server.address.is_v6());
    const auto port = value_of<std::uint16_t>(found[IPVS_DEST_ATTR_PORT]);
    if (!address || !port)
        return std::nullopt;
    return RealServer{*address, ntohs(*port)};
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
        settings.scheduler = text_of(found[IPVS_SVC_ATTR_SCHED_NAME]);
    if (const auto flags = value_of<ip_vs_flags>(found[IPVS_SVC_ATTR_FLAGS])) {
        settings.persistent = (flags->flags & IP_VS_SVC_F_PERSISTENT) != 0;
        settings.scheduler_flags = flags->flags & (scheduler_fallback | scheduler_port | scheduler_flag_3);
    }
    if (settings.persistent)
        settings.persistence_s = number_in(found[IPVS_SVC_ATTR_TIMEOUT]);
    return std::pair(server, settings);
}

std::optional<std::pair<RealServer, int>> parse_destination(nlmsghdr* header, const VirtualServer& server) {
    nlattr* found[IPVS_DEST_ATTR_MAX + 1] = {};
    if (!parse_object(header, IPVS_CMD_ATTR_DEST, found, IPVS_DEST_ATTR_MAX))
        return std::nullopt;
    const auto real = real_server(found, server);
    const auto weight = value_of<std::uint32_t>(found[IPVS_DEST_ATTR_WEIGHT]);
    if (!real || !weight)
        return std::nullopt;
    const auto method = value_of<std::uint32_t>(found[IPVS_DEST_ATTR_FWD_METHOD]);
    if (method && (*method & IP_VS_CONN_F_FWD_MASK) != IP_VS_CONN_F_MASQ)
        return std::pair(*real, -1);
    return std::pair(*real, static_cast<int>(*weight));
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
        count += number_in(found[kind]);
    return std::pair(*real, count);
}

std::uint64_t parse_connections(nlmsghdr* header) {
    nlattr* found[IPVS_DEST_ATTR_MAX + 1] = {};
    std::uint64_t connections = 0;
    if (parse_object(header, IPVS_CMD_ATTR_DEST, found, IPVS_DEST_ATTR_MAX))
        for (const int count : {IPVS_DEST_ATTR_ACTIVE_CONNS, IPVS_DEST_ATTR_INACT_CONNS, IPVS_DEST_ATTR_PERSIST_CONNS})
            connections += number_in(found[count]);
    return connections;
}

}  // namespace netlink::ipvs
