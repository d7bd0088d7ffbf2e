#include "netlink/routes.hpp"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <cerrno>
#include <system_error>

namespace netlink {
namespace {

Message route_message(int type, int flags, const RouteStyle& style, const LocalRoute& route) {
    Message message;
    nlmsg_put(message.get(), 0, 0, type, 0, flags);
    rtmsg body{};
    body.rtm_family = static_cast<unsigned char>(family_of(route.address));
    body.rtm_dst_len = static_cast<unsigned char>(route.address.bits());
    body.rtm_table = RT_TABLE_LOCAL;
    body.rtm_protocol = static_cast<unsigned char>(style.protocol);
    body.rtm_scope = route.address.is_v6() ? RT_SCOPE_UNIVERSE : RT_SCOPE_HOST;
    body.rtm_type = RTN_LOCAL;
    nlmsg_append(message.get(), &body, sizeof(body), NLMSG_ALIGNTO);
    put_address(message, RTA_DST, route.address);
    nla_put_u32(message.get(), RTA_OIF, static_cast<std::uint32_t>(style.interface));
    return message;
}

Message with_source(Message message, const RouteStyle& style, const LocalRoute& route) {
    if (const Address* source = source_for(style, route))
        put_address(message, RTA_PREFSRC, *source);
    return message;
}

Message link_message(int type, int flags, const ifinfomsg& body) {
    Message message;
    nlmsg_put(message.get(), 0, 0, type, 0, flags);
    nlmsg_append(message.get(), const_cast<ifinfomsg*>(&body), sizeof(body), NLMSG_ALIGNTO);
    return message;
}

/// Sends one request; returns the kernel's errno.
int request(Socket& socket, const Message& message) {
    Batch batch;
    batch.append(message);
    const auto rejections = socket.transact(batch);
    return rejections.empty() ? 0 : rejections[0].error;
}

void check(int error, const char* what) {
    if (error != 0)
        throw std::system_error(error, std::system_category(), what);
}

Message new_device() {
    ifinfomsg body{};
    Message message = link_message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, body);
    nla_put_string(message.get(), IFLA_IFNAME, device_name);
    nlattr* info = nla_nest_start(message.get(), IFLA_LINKINFO);
    nla_put_string(message.get(), IFLA_INFO_KIND, "dummy");
    nla_nest_end(message.get(), info);
    return message;
}

/// The kernel gives it no link-local address when it goes up.
Message without_addresses(int index) {
    constexpr std::uint8_t none = 1;  // IN6_ADDR_GEN_MODE_NONE
    ifinfomsg body{};
    body.ifi_index = index;
    Message message = link_message(RTM_SETLINK, 0, body);
    nlattr* families = nla_nest_start(message.get(), IFLA_AF_SPEC);
    nlattr* inet6 = nla_nest_start(message.get(), AF_INET6);
    nla_put_u8(message.get(), IFLA_INET6_ADDR_GEN_MODE, none);
    nla_nest_end(message.get(), inet6);
    nla_nest_end(message.get(), families);
    return message;
}

}  // namespace

Message add_route(const RouteStyle& style, const LocalRoute& route, bool before_others) {
    const int flags = NLM_F_CREATE | (before_others ? 0 : NLM_F_EXCL);
    return with_source(route_message(RTM_NEWROUTE, flags, style, route), style, route);
}

Message replace_route(const RouteStyle& style, const LocalRoute& route) {
    return with_source(route_message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, style, route), style, route);
}

const Address* source_for(const RouteStyle& style, const LocalRoute& route) {
    for (const Address& source : style.sources)
        if (source.is_v6() == route.address.is_v6())
            return &source;
    return nullptr;
}

Message delete_route(const RouteStyle& style, const LocalRoute& route) {
    return route_message(RTM_DELROUTE, 0, style, route);
}

std::optional<std::pair<LocalRoute, Address>> parse_route(nlmsghdr* header, int protocol) {
    const auto body = body_of<rtmsg>(header);
    const auto attributes = attributes_of<rtmsg, RTA_PREFSRC>(header);
    if (header->nlmsg_type != RTM_NEWROUTE || !body || !attributes || body->rtm_protocol != protocol ||
        body->rtm_table != RT_TABLE_LOCAL)
        return std::nullopt;
    const auto to = address_of((*attributes)[RTA_DST]);
    if (!to || body->rtm_family != family_of(*to))
        return std::nullopt;
    return std::pair(LocalRoute{*to}, address_of((*attributes)[RTA_PREFSRC]).value_or(Address()));
}

std::map<LocalRoute, Address> read_routes(Socket& socket, int protocol) {
    std::map<LocalRoute, Address> routes;
    for (const int family : {AF_INET, AF_INET6}) {
        rtmsg body{};
        body.rtm_family = static_cast<unsigned char>(family);
        body.rtm_table = RT_TABLE_LOCAL;
        body.rtm_protocol = static_cast<unsigned char>(protocol);
        body.rtm_type = RTN_LOCAL;
        Message message;
        nlmsg_put(message.get(), 0, 0, RTM_GETROUTE, 0, NLM_F_DUMP);
        nlmsg_append(message.get(), &body, sizeof(body), NLMSG_ALIGNTO);
        std::vector<char> answer;
        try {
            answer = socket.dump(message);
        } catch (const std::system_error& error) {
            if (error.code().value() != ENOENT)  // no table yet: nothing of this family is up
                throw;
        }
        for_each_message(answer, [&](nlmsghdr* header) {
            // A kernel without IPv6 answers a question for IPv6 with the routes of all families.
            const auto found = parse_route(header, protocol);
            if (found && family_of(found->first.address) == family)
                routes.insert(*found);
        });
    }
    return routes;
}

std::vector<char> ask_for_link(Socket& socket, const std::string& name) {
    Message message = link_message(RTM_GETLINK, 0, ifinfomsg{});
    nla_put_string(message.get(), IFLA_IFNAME, name.c_str());
    try {
        return socket.ask(message);
    } catch (const std::system_error& error) {
        if (error.code().value() != ENODEV)
            throw;
        return {};
    }
}

int interface_index(Socket& socket, const std::string& name) {
    int index = 0;
    auto answer = ask_for_link(socket, name);
    for_each_message(answer, [&](nlmsghdr* header) {
        if (const auto body = body_of<ifinfomsg>(header); body && header->nlmsg_type == RTM_NEWLINK)
            index = body->ifi_index;
    });
    return index;
}

int ensure_device(Socket& socket) {
    int error = 0;
    // A device that somebody is deleting has an index until it is gone: then once more.
    for (int attempt = 0; attempt < 5; ++attempt) {
        if (interface_index(socket, device_name) == 0) {
            error = request(socket, new_device());
            if (error != 0 && error != EEXIST)
                check(error, "creating device podferry0 (kernel module dummy)");
            request(socket,
                    without_addresses(interface_index(socket, device_name)));  // fails where IPv6 is switched off
        }
        ifinfomsg body{};
        body.ifi_index = interface_index(socket, device_name);
        body.ifi_flags = IFF_UP;
        body.ifi_change = IFF_UP;
        error = body.ifi_index == 0 ? ENODEV : request(socket, link_message(RTM_NEWLINK, 0, body));
        if (error == 0)
            return body.ifi_index;
        if (error != ENODEV)
            break;
    }
    throw std::system_error(error, std::system_category(), "setting device podferry0 up");
}

int delete_link(Socket& socket, const std::string& name) {
    ifinfomsg body{};
    body.ifi_index = interface_index(socket, name);
    return body.ifi_index == 0 ? 0 : request(socket, link_message(RTM_DELLINK, 0, body));
}

void delete_device(Socket& socket) {
    check(delete_link(socket, device_name), "deleting device podferry0");
}

}  // namespace netlink
