#include "netlink/nft_dump.hpp"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <cerrno>
#include <system_error>

#include "netlink/nfnetlink.hpp"
#include "netlink/socket.hpp"

namespace netlink::nft {

Message dump_request(int type, int family) {
    return nfnetlink_message(NFNL_SUBSYS_NFTABLES, type, family, NLM_F_DUMP);
}

void visit_dump(const Message& request, const std::function<void(nlmsghdr*)>& visit, std::size_t most) {
    Socket socket(NETLINK_NETFILTER);
    std::size_t seen = 0;
    socket.dump_each(request, [&](nlmsghdr* header) {
        if (++seen > most)
            throw std::system_error(E2BIG, std::system_category(), "chains of this host's firewall");
        visit(header);
    });
}

std::string family_name(int family) {
    switch (family) {
        case NFPROTO_IPV4:
            return "ip";
        case NFPROTO_IPV6:
            return "ip6";
        case NFPROTO_INET:
            return "inet";
        default:
            return "";
    }
}

int family_number(const std::string& name) {
    return name == "ip" ? NFPROTO_IPV4 : name == "ip6" ? NFPROTO_IPV6 : NFPROTO_INET;
}

std::optional<std::uint32_t> number_of(const nlattr* attribute) {
    const auto value = value_of<std::uint32_t>(attribute);
    return value ? std::optional(ntohl(*value)) : std::nullopt;
}

std::optional<Decision> decision_of(nlattr* data) {
    nlattr* parts[NFTA_IMMEDIATE_MAX + 1] = {};
    nlattr* value[NFTA_DATA_MAX + 1] = {};
    nlattr* verdict[NFTA_VERDICT_MAX + 1] = {};
    if (nla_parse_nested(parts, NFTA_IMMEDIATE_MAX, data, nullptr) < 0 || parts[NFTA_IMMEDIATE_DATA] == nullptr ||
        nla_parse_nested(value, NFTA_DATA_MAX, parts[NFTA_IMMEDIATE_DATA], nullptr) < 0 ||
        value[NFTA_DATA_VERDICT] == nullptr ||
        nla_parse_nested(verdict, NFTA_VERDICT_MAX, value[NFTA_DATA_VERDICT], nullptr) < 0)
        return std::nullopt;
    const auto code = number_of(verdict[NFTA_VERDICT_CODE]);
    if (!code)
        return std::nullopt;
    return Decision{static_cast<int>(*code), std::string(text_of(verdict[NFTA_VERDICT_CHAIN]))};
}

}  // namespace netlink::nft
