#include "netlink/links.hpp"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <cerrno>
#include <system_error>

#include "netlink/routes.hpp"
#include "netlink/socket.hpp"

namespace netlink {
namespace {

Message removal_of(const HostAddress& address, int link) {
    ifaddrmsg body{};
    body.ifa_family = static_cast<unsigned char>(family_of(address.address));
    body.ifa_prefixlen = static_cast<unsigned char>(address.prefix_length);
    body.ifa_index = static_cast<unsigned>(link);
    Message message;
    nlmsg_put(message.get(), 0, 0, RTM_DELADDR, 0, 0);
    nlmsg_append(message.get(), &body, sizeof(body), NLMSG_ALIGNTO);
    put_address(message, IFA_LOCAL, address.address);
    return message;
}

std::string words(const std::string& what, int error) {
    return what + ": " + std::error_code(error, std::system_category()).message();
}

}  // namespace

std::optional<std::string> parse_link_kind(nlmsghdr* header) {
    const auto attributes = attributes_of<ifinfomsg, IFLA_MAX>(header);
    if (header->nlmsg_type != RTM_NEWLINK || !attributes)
        return std::nullopt;
    nlattr* info[IFLA_INFO_MAX + 1] = {};
    if ((*attributes)[IFLA_LINKINFO] == nullptr ||
        nla_parse_nested(info, IFLA_INFO_MAX, (*attributes)[IFLA_LINKINFO], nullptr) < 0 ||
        info[IFLA_INFO_KIND] == nullptr)
        return "";
    return std::string(text_of(info[IFLA_INFO_KIND]));
}

std::string link_kind(const std::string& name) {
    Socket socket(NETLINK_ROUTE);
    std::string kind;
    auto answer = ask_for_link(socket, name);
    for_each_message(answer, [&](nlmsghdr* header) { kind = parse_link_kind(header).value_or(kind); });
    return kind;
}

std::string remove_addresses(const std::string& link, std::span<const HostAddress> addresses) {
    Socket socket(NETLINK_ROUTE);
    const int index = interface_index(socket, link);
    std::string problem;
    Batch batch;
    const auto send = [&](std::size_t first) {
        for (const Rejection& rejection : socket.transact(batch))
            if (problem.empty() && rejection.error != EADDRNOTAVAIL && rejection.error != ENODEV)
                problem = words(addresses[first + rejection.index].address.to_string(), rejection.error);
        batch.clear();
    };
    std::size_t first = 0;
    for (std::size_t next = 0; index != 0 && next < addresses.size(); ++next) {
        batch.append(removal_of(addresses[next], index));
        if (!batch.full() && next + 1 < addresses.size())
            continue;
        send(first);
        first = next + 1;
    }
    return problem;
}

std::string delete_dummy(const std::string& link) {
    if (link_kind(link) != "dummy")
        return "";
    Socket socket(NETLINK_ROUTE);
    const int error = delete_link(socket, link);
    return error == 0 || error == ENODEV ? "" : words("deleting " + link, error);
}

}  // namespace netlink
