#include "netlink/monitor.hpp"

#include <linux/fib_rules.h>
#include <linux/genetlink.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <system_error>

#include "netlink/routes.hpp"
#include "netlink/set_messages.hpp"

namespace netlink {
namespace {

bool join(int socket, std::initializer_list<int> groups) {
    return std::all_of(groups.begin(), groups.end(), [socket](int group) {
        return ::setsockopt(socket, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) == 0;
    });
}

int open_groups(int protocol, std::initializer_list<int> groups) {
    const int socket = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    if (socket < 0)
        throw std::system_error(errno, std::system_category(), "netlink notifications");
    constexpr int buffer = 4 * 1024 * 1024;
    ::setsockopt(socket, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer));
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    if (::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 || !join(socket, groups)) {
        const int error = errno;
        ::close(socket);
        throw std::system_error(error, std::system_category(), "netlink notifications");
    }
    return socket;
}

/// Reads until nothing is left; `visit` sees each message. False when notifications were lost.
template <class Visit>
bool drain(int socket, Visit visit) {
    alignas(nlmsghdr) static char buffer[256 * 1024];
    bool whole = true;
    for (;;) {
        const ssize_t size = ::recv(socket, buffer, sizeof(buffer), 0);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0 && errno == ENOBUFS) {
            whole = false;
            continue;
        }
        if (size <= 0)
            return whole;
        auto left = static_cast<std::uint32_t>(size);
        for (auto* header = reinterpret_cast<nlmsghdr*>(buffer); NLMSG_OK(header, left);
             header = NLMSG_NEXT(header, left))
            visit(header);
    }
}

bool names_our_device(nlmsghdr* header) {
    nlattr* attributes[IFLA_MAX + 1] = {};
    return nlmsg_parse(header, sizeof(ifinfomsg), attributes, IFLA_MAX, nullptr) >= 0 &&
           attributes[IFLA_IFNAME] != nullptr && std::strcmp(nla_get_string(attributes[IFLA_IFNAME]), device_name) == 0;
}

bool is_our_route(nlmsghdr* header, int protocol) {
    const auto* body = static_cast<const rtmsg*>(NLMSG_DATA(header));
    return body->rtm_protocol == protocol;
}

/// Of table main: it says which of the host's addresses is the node's.
bool is_default_route(nlmsghdr* header) {
    const auto* body = static_cast<const rtmsg*>(NLMSG_DATA(header));
    return body->rtm_dst_len == 0 && body->rtm_table == RT_TABLE_MAIN && body->rtm_type == RTN_UNICAST;
}

bool is_our_rule(nlmsghdr* header, int protocol) {
    nlattr* attributes[FRA_MAX + 1] = {};
    return nlmsg_parse(header, sizeof(fib_rule_hdr), attributes, FRA_MAX, nullptr) >= 0 &&
           attributes[FRA_PROTOCOL] != nullptr && nla_get_u8(attributes[FRA_PROTOCOL]) == protocol;
}

/// In messages of tables, chains, rules, sets and elements the table's name is attribute 1.
bool names_our_table(nlmsghdr* header) {
    if (header->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES || (header->nlmsg_type & 0xff) == NFT_MSG_NEWGEN)
        return false;
    nlattr* attributes[NFTA_TABLE_MAX + 1] = {};
    return nlmsg_parse(header, sizeof(nfgenmsg), attributes, NFTA_TABLE_NAME, nullptr) >= 0 &&
           attributes[NFTA_TABLE_NAME] != nullptr &&
           std::strcmp(nla_get_string(attributes[NFTA_TABLE_NAME]), nft::table_name) == 0;
}

bool names_ipvs(nlmsghdr* header) {
    nlattr* attributes[CTRL_ATTR_MAX + 1] = {};
    return header->nlmsg_type == GENL_ID_CTRL &&
           nlmsg_parse(header, GENL_HDRLEN, attributes, CTRL_ATTR_FAMILY_NAME, nullptr) >= 0 &&
           attributes[CTRL_ATTR_FAMILY_NAME] != nullptr &&
           std::strcmp(nla_get_string(attributes[CTRL_ATTR_FAMILY_NAME]), "IPVS") == 0;
}

}  // namespace

Monitor::Monitor(Own own) : own_(own) {
    route_ = open_groups(
        NETLINK_ROUTE, {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE});
    try {
        nft_ = open_groups(NETLINK_NETFILTER, {});
        families_ = open_groups(NETLINK_GENERIC, {GENL_ID_CTRL});  // the controller's group has its number
    } catch (...) {
        ::close(route_);
        if (nft_ >= 0)
            ::close(nft_);
        throw;
    }
}

void Monitor::hear_of_objects() {
    if (!join(route_, {RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE}) || !join(nft_, {NFNLGRP_NFTABLES}))
        throw std::system_error(errno, std::system_category(), "netlink notifications");
}

Monitor::~Monitor() {
    ::close(route_);
    ::close(nft_);
    ::close(families_);
}

Notices Monitor::read_routes() {
    Notices notices;
    const bool whole = drain(route_, [&](nlmsghdr* header) {
        switch (header->nlmsg_type) {
            case RTM_NEWADDR:
            case RTM_DELADDR:
                notices.addresses = true;
                break;
            case RTM_NEWLINK:
            case RTM_DELLINK:
                notices.damage = notices.damage || (header->nlmsg_pid != own_.route_port && names_our_device(header));
                break;
            case RTM_NEWROUTE:
            case RTM_DELROUTE:
                notices.addresses = notices.addresses || is_default_route(header);
                notices.damage = notices.damage ||
                                 (header->nlmsg_pid != own_.route_port && is_our_route(header, own_.route_protocol));
                break;
            case RTM_DELRULE:
                notices.damage = notices.damage ||
                                 (header->nlmsg_pid != own_.route_port && is_our_rule(header, own_.route_protocol));
                break;
            default:
                break;
        }
    });
    if (!whole)
        notices = {true, true};
    return notices;
}

Notices Monitor::read_nft() {
    Notices notices;
    const bool whole = drain(nft_, [&](nlmsghdr* header) {
        notices.damage = notices.damage || (header->nlmsg_pid != own_.nft_port && names_our_table(header));
    });
    notices.damage = notices.damage || !whole;
    return notices;
}

Notices Monitor::read_families() {
    Notices notices;
    const bool whole =
        drain(families_, [&](nlmsghdr* header) { notices.damage = notices.damage || names_ipvs(header); });
    notices.damage = notices.damage || !whole;
    return notices;
}

}  // namespace netlink
