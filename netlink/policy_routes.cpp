#include "netlink/policy_routes.hpp"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include <cerrno>
#include <optional>
#include <system_error>

namespace netlink {
namespace {

Message rule_message(int type, int flags, int family, const PolicyRule& rule, int protocol) {
    Message message;
    nlmsg_put(message.get(), 0, 0, type, 0, flags);
    fib_rule_hdr body{};
    body.family = static_cast<__u8>(family);
    body.action = FR_ACT_TO_TBL;
    body.table = RT_TABLE_UNSPEC;
    nlmsg_append(message.get(), &body, sizeof(body), NLMSG_ALIGNTO);
    nla_put_u32(message.get(), FRA_FWMARK, rule.value);
    nla_put_u32(message.get(), FRA_FWMASK, rule.mask);
    nla_put_u32(message.get(), FRA_TABLE, rule.table);
    nla_put_u32(message.get(), FRA_PRIORITY, rule.preference);
    nla_put_u8(message.get(), FRA_PROTOCOL, static_cast<std::uint8_t>(protocol));
    return message;
}

/// Finds none of a family that the kernel does not have (ipv6.disable=1).
std::vector<PolicyRule> read_rules(Socket& socket, int family, int protocol) try {
    Message message;
    nlmsg_put(message.get(), 0, 0, RTM_GETRULE, 0, NLM_F_DUMP);
    fib_rule_hdr body{};
    body.family = static_cast<__u8>(family);
    nlmsg_append(message.get(), &body, sizeof(body), NLMSG_ALIGNTO);
    std::vector<PolicyRule> rules;
    auto answer = socket.dump(message);
    for_each_message(answer, [&](nlmsghdr* header) {
        if (const auto rule = parse_policy_rule(header, family, protocol))
            rules.push_back(*rule);
    });
    return rules;
} catch (const std::system_error& error) {
    if (error.code().value() != EAFNOSUPPORT)
        throw;
    return {};
}

Message default_route(const PolicyRoute& wanted, int family) {
    Message message;
    nlmsg_put(message.get(), 0, 0, RTM_NEWROUTE, 0, NLM_F_CREATE | NLM_F_EXCL);
    rtmsg body{};
    body.rtm_family = static_cast<unsigned char>(family);
    body.rtm_table = RT_TABLE_UNSPEC;
    body.rtm_protocol = static_cast<unsigned char>(wanted.protocol);
    body.rtm_scope = family == AF_INET6 ? RT_SCOPE_UNIVERSE : RT_SCOPE_HOST;
    body.rtm_type = RTN_LOCAL;
    nlmsg_append(message.get(), &body, sizeof(body), NLMSG_ALIGNTO);
    nla_put_u32(message.get(), RTA_TABLE, static_cast<std::uint32_t>(wanted.table));
    nla_put_u32(message.get(), RTA_OIF, static_cast<std::uint32_t>(wanted.interface));
    return message;
}

/// False when it is there already.
bool create(Socket& socket, const Message& message, const char* what) {
    Batch batch;
    batch.append(message);
    const auto rejections = socket.transact(batch);
    if (rejections.empty())
        return true;
    if (rejections[0].error != EEXIST)
        throw std::system_error(rejections[0].error, std::system_category(), what);
    return false;
}

void remove_rule(Socket& socket, int family, const PolicyRule& rule, int protocol) {
    Batch batch;
    batch.append(rule_message(RTM_DELRULE, 0, family, rule, protocol));
    socket.transact(batch);
}

}  // namespace

std::optional<PolicyRule> parse_policy_rule(nlmsghdr* header, int family, int protocol) {
    const auto body = body_of<fib_rule_hdr>(header);
    const auto found = attributes_of<fib_rule_hdr, FRA_MAX>(header);
    if (header->nlmsg_type != RTM_NEWRULE || !body || !found || body->family != family ||
        value_of<std::uint8_t>((*found)[FRA_PROTOCOL]) != protocol)
        return std::nullopt;
    const auto number = [&](int attribute) {
        return value_of<std::uint32_t>((*found)[static_cast<std::size_t>(attribute)]).value_or(0);
    };
    return PolicyRule{number(FRA_FWMARK), number(FRA_FWMASK), number(FRA_TABLE), number(FRA_PRIORITY)};
}

std::vector<std::string> ensure_policy_route(Socket& socket, const PolicyRoute& wanted, int family) {
    const PolicyRule rule{wanted.fwmark.value, wanted.fwmark.mask, static_cast<std::uint32_t>(wanted.table),
                          static_cast<std::uint32_t>(wanted.preference)};
    std::vector<std::string> done;
    const std::string of = family == AF_INET6 ? " of IPv6" : " of IPv4";
    if (create(socket, default_route(wanted, family), "routing our marked packets to this host"))
        done.push_back("route of table " + std::to_string(wanted.table) + of);
    bool there = false;
    for (const PolicyRule& found : read_rules(socket, family, wanted.protocol)) {
        if (found == rule && !there)
            there = true;
        else
            remove_rule(socket, family, found, wanted.protocol);
    }
    if (!there && create(socket, rule_message(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, family, rule, wanted.protocol),
                         "adding the routing rule of our marked packets"))
        done.push_back("routing rule" + of);
    return done;
}

bool has_policy_rule(Socket& socket, int protocol, int family) {
    return !read_rules(socket, family, protocol).empty();
}

void remove_policy_rules(Socket& socket, int protocol) {
    for (const int family : {AF_INET, AF_INET6})
        for (const PolicyRule& rule : read_rules(socket, family, protocol))
            remove_rule(socket, family, rule, protocol);
}

}  // namespace netlink
