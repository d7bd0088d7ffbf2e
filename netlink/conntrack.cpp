#include "netlink/conntrack.hpp"

#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "netlink/nfnetlink.hpp"

namespace netlink {
namespace conntrack {
namespace {

constexpr std::uint32_t filter_protocol = 1U << 3;  // CTA_FILTER_F_CTA_PROTO_NUM of the kernel's nf_internals.h

Message message_of(int type, int flags, bool ipv6) {
    return nfnetlink_message(NFNL_SUBSYS_CTNETLINK, type, ipv6 ? AF_INET6 : AF_INET, flags);
}

nlattr* begin(const Message& message, int type) {
    return nla_nest_start(message.get(), type | NLA_F_NESTED);
}

void put_address(const Message& message, const Address& address, int v4, int v6) {
    netlink::put_address(message, address.is_v6() ? v6 : v4, address);
}

/// The attributes of the type's kind inside `nest`; false when there are none.
template <int Most>
bool parse_nested(nlattr* (&found)[Most + 1], nlattr* nest) {
    return nest != nullptr && nla_parse_nested(found, Most, nest, nullptr) >= 0;
}

struct Tuple {
    Protocol protocol;
    RealServer source;
    RealServer destination;
};

/// Only protocols with ports have one.
std::optional<Tuple> parse_tuple(nlattr* attribute) {
    nlattr* tuple[CTA_TUPLE_MAX + 1] = {};
    nlattr* ip[CTA_IP_MAX + 1] = {};
    nlattr* protocol[CTA_PROTO_MAX + 1] = {};
    if (!parse_nested<CTA_TUPLE_MAX>(tuple, attribute) || !parse_nested<CTA_IP_MAX>(ip, tuple[CTA_TUPLE_IP]) ||
        !parse_nested<CTA_PROTO_MAX>(protocol, tuple[CTA_TUPLE_PROTO]))
        return std::nullopt;
    nlattr* source = ip[CTA_IP_V4_SRC] != nullptr ? ip[CTA_IP_V4_SRC] : ip[CTA_IP_V6_SRC];
    nlattr* destination = ip[CTA_IP_V4_DST] != nullptr ? ip[CTA_IP_V4_DST] : ip[CTA_IP_V6_DST];
    const auto from = address_of(source);
    const auto to = address_of(destination);
    const auto number = value_of<std::uint8_t>(protocol[CTA_PROTO_NUM]);
    const auto from_port = value_of<std::uint16_t>(protocol[CTA_PROTO_SRC_PORT]);
    const auto to_port = value_of<std::uint16_t>(protocol[CTA_PROTO_DST_PORT]);
    if (!from || !to || !from_port || !to_port || !number)
        return std::nullopt;
    const auto known = Protocol{*number};
    if (known != Protocol::udp && known != Protocol::tcp && known != Protocol::sctp)
        return std::nullopt;
    return Tuple{known, {*from, ntohs(*from_port)}, {*to, ntohs(*to_port)}};
}

}  // namespace

Message dump_of(Protocol wanted, bool ipv6, bool unanswered_only) {
    Message message = message_of(IPCTNL_MSG_CT_GET, NLM_F_DUMP, ipv6);
    nlattr* tuple = begin(message, CTA_TUPLE_ORIG);
    nlattr* protocol = begin(message, CTA_TUPLE_PROTO);
    nla_put_u8(message.get(), CTA_PROTO_NUM, static_cast<std::uint8_t>(wanted));
    nla_nest_end(message.get(), protocol);
    nla_nest_end(message.get(), tuple);
    if (unanswered_only) {
        nla_put_u32(message.get(), CTA_STATUS, 0);
        nla_put_u32(message.get(), CTA_STATUS_MASK, htonl(IPS_SEEN_REPLY));
    }
    nlattr* filter = begin(message, CTA_FILTER);
    nla_put_u32(message.get(), CTA_FILTER_ORIG_FLAGS, filter_protocol);
    nla_put_u32(message.get(), CTA_FILTER_REPLY_FLAGS, 0);
    nla_nest_end(message.get(), filter);
    return message;
}

Message deletion(const Flow& flow) {
    Message message = message_of(IPCTNL_MSG_CT_DELETE, 0, flow.to.address.is_v6());
    nlattr* tuple = begin(message, CTA_TUPLE_ORIG);
    nlattr* ip = begin(message, CTA_TUPLE_IP);
    put_address(message, flow.client.address, CTA_IP_V4_SRC, CTA_IP_V6_SRC);
    put_address(message, flow.to.address, CTA_IP_V4_DST, CTA_IP_V6_DST);
    nla_nest_end(message.get(), ip);
    nlattr* protocol = begin(message, CTA_TUPLE_PROTO);
    nla_put_u8(message.get(), CTA_PROTO_NUM, static_cast<std::uint8_t>(flow.to.protocol));
    nla_put_u16(message.get(), CTA_PROTO_SRC_PORT, htons(flow.client.port));
    nla_put_u16(message.get(), CTA_PROTO_DST_PORT, htons(flow.to.port));
    nla_nest_end(message.get(), protocol);
    nla_nest_end(message.get(), tuple);
    if (flow.zone != 0)
        nla_put_u16(message.get(), CTA_ZONE, htons(flow.zone));
    if (flow.id)
        nla_put_u32(message.get(), CTA_ID, htonl(*flow.id));
    return message;
}

std::optional<Flow> parse(nlmsghdr* message) {
    const auto attributes = attributes_of<nfgenmsg, CTA_MAX>(message);
    if ((message->nlmsg_type >> 8) != NFNL_SUBSYS_CTNETLINK || !attributes)
        return std::nullopt;
    const auto& found = *attributes;
    const auto original = parse_tuple(found[CTA_TUPLE_ORIG]);
    const auto reply = parse_tuple(found[CTA_TUPLE_REPLY]);
    if (!original || !reply || original->protocol != reply->protocol)
        return std::nullopt;
    Flow flow{original->source,
              {original->destination.address, original->protocol, original->destination.port},
              reply->source,
              0,
              std::nullopt};
    if (const auto zone = value_of<std::uint16_t>(found[CTA_ZONE]))
        flow.zone = ntohs(*zone);
    if (const auto id = value_of<std::uint32_t>(found[CTA_ID]))
        flow.id = ntohl(*id);
    if (const auto status = value_of<std::uint32_t>(found[CTA_STATUS]))
        flow.answered = (ntohl(*status) & IPS_SEEN_REPLY) != 0;
    return flow;
}

}  // namespace conntrack

bool Conntrack::each_udp(bool ipv6, const std::function<void(const Flow&)>& visit) {
    return socket_.dump_each(conntrack::dump_of(Protocol::udp, ipv6, false), [&](nlmsghdr* message) {
        if (const auto flow = conntrack::parse(message); flow && flow->to.protocol == Protocol::udp)
            visit(*flow);
    });
}

bool Conntrack::each_unanswered(Protocol protocol, bool ipv6, const std::function<void(const Flow&)>& visit) {
    return socket_.dump_each(conntrack::dump_of(protocol, ipv6, true), [&](nlmsghdr* message) {
        if (const auto flow = conntrack::parse(message); flow && flow->to.protocol == protocol && !flow->answered)
            visit(*flow);
    });
}

std::size_t Conntrack::remove(std::span<const Flow> flows) {
    std::size_t removed = 0;
    Batch batch;
    const auto send = [&] {
        if (batch.size() == 0)
            return;
        const auto rejections = socket_.transact(batch);
        const auto failed = std::find_if(rejections.begin(), rejections.end(),
                                         [](const Rejection& rejection) { return rejection.error != ENOENT; });
        if (failed != rejections.end())
            throw std::system_error(failed->error, std::system_category(), "removing an entry of connection tracking");
        removed += batch.size() - rejections.size();
        batch.clear();
    };
    for (const Flow& flow : flows) {
        batch.append(conntrack::deletion(flow));
        if (batch.full())
            send();
    }
    send();
    return removed;
}

}  // namespace netlink
