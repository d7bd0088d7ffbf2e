#include "netlink/monitor.hpp"

#include <linux/fib_rules.h>
#include <linux/genetlink.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <initializer_list>
#include <system_error>

#include "netlink/received.hpp"
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
        const Received received = receive_from_kernel(socket, buffer);
        const bool lost = received.error == ENOBUFS || received.error == EMSGSIZE;
        whole = whole && !lost;
        if ((received.error != 0 && !lost) || (received.error == 0 && received.bytes.empty()))
            return whole;
        for_each_message(received.bytes, visit);
    }
}

bool names_our_device(nlmsghdr* header) {
    const auto attributes = attributes_of<ifinfomsg, IFLA_IFNAME>(header);
    return attributes && text_of((*attributes)[IFLA_IFNAME]) == device_name;
}

bool is_our_route(nlmsghdr* header, int protocol) {
    const auto body = body_of<rtmsg>(header);
    return body && body->rtm_protocol == protocol;
}

/// A default route of table main says which of the host's addresses is the node's.
bool is_default_route(nlmsghdr* header) {
    const auto body = body_of<rtmsg>(header);
    return body && body->rtm_dst_len == 0 && body->rtm_table == RT_TABLE_MAIN && body->rtm_type == RTN_UNICAST;
}

bool is_our_rule(nlmsghdr* header, int protocol) {
    const auto attributes = attributes_of<fib_rule_hdr, FRA_PROTOCOL>(header);
    return attributes && value_of<std::uint8_t>((*attributes)[FRA_PROTOCOL]) == protocol;
}

/// The table's name is attribute 1 in messages of tables, chains, rules, sets and elements.
bool names_our_table(nlmsghdr* header) {
    if (header->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES || (header->nlmsg_type & 0xff) == NFT_MSG_NEWGEN)
        return false;
    const auto attributes = attributes_of<nfgenmsg, NFTA_TABLE_NAME>(header);
    return attributes && text_of((*attributes)[NFTA_TABLE_NAME]) == nft::table_name;
}

bool names_ipvs(nlmsghdr* header) {
    const auto attributes = attributes_of<genlmsghdr, CTRL_ATTR_FAMILY_NAME>(header);
    return header->nlmsg_type == GENL_ID_CTRL && attributes && text_of((*attributes)[CTRL_ATTR_FAMILY_NAME]) == "IPVS";
}

}  // namespace

void Notices::hear_of_route(nlmsghdr* header, const OwnChanges& own) {
    const bool by_others = header->nlmsg_pid != own.route_port;
    switch (header->nlmsg_type) {
        case RTM_NEWADDR:
        case RTM_DELADDR:
            addresses = true;
            break;
        case RTM_NEWLINK:
        case RTM_DELLINK:
            damage = damage || (by_others && names_our_device(header));
            break;
        case RTM_NEWROUTE:
        case RTM_DELROUTE:
            addresses = addresses || is_default_route(header);
            damage = damage || (by_others && is_our_route(header, own.route_protocol));
            break;
        case RTM_DELRULE:
            damage = damage || (by_others && is_our_rule(header, own.route_protocol));
            break;
        default:
            break;
    }
}

void Notices::hear_of_nft(nlmsghdr* header, const OwnChanges& own) {
    damage = damage || (header->nlmsg_pid != own.nft_port && names_our_table(header));
}

void Notices::hear_of_family(nlmsghdr* header) {
    damage = damage || names_ipvs(header);
}

Monitor::Monitor(OwnChanges own) : own_(own) {
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
    if (!drain(route_, [&](nlmsghdr* header) { notices.hear_of_route(header, own_); }))
        notices = {true, true};
    return notices;
}

Notices Monitor::read_nft() {
    Notices notices;
    if (!drain(nft_, [&](nlmsghdr* header) { notices.hear_of_nft(header, own_); }))
        notices.damage = true;
    return notices;
}

Notices Monitor::read_families() {
    Notices notices;
    if (!drain(families_, [&](nlmsghdr* header) { notices.hear_of_family(header); }))
        notices.damage = true;
    return notices;
}

}  // namespace netlink
