#include "tests/support/flows.hpp"

#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

namespace testing {

netlink::Message entry(const netlink::Flow& flow) {
    netlink::Message message = netlink::conntrack::deletion(flow);  // names the original direction
    nl_msg* raw = message.get();
    const bool v6 = flow.to.address.is_v6();
    nlattr* tuple = nla_nest_start(raw, CTA_TUPLE_REPLY | NLA_F_NESTED);
    nlattr* addresses = nla_nest_start(raw, CTA_TUPLE_IP | NLA_F_NESTED);
    netlink::put_address(message, v6 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC, flow.answerer.address);
    netlink::put_address(message, v6 ? CTA_IP_V6_DST : CTA_IP_V4_DST, flow.client.address);
    nla_nest_end(raw, addresses);
    nlattr* ports = nla_nest_start(raw, CTA_TUPLE_PROTO | NLA_F_NESTED);
    nla_put_u8(raw, CTA_PROTO_NUM, static_cast<std::uint8_t>(flow.to.protocol));
    nla_put_u16(raw, CTA_PROTO_SRC_PORT, htons(flow.answerer.port));
    nla_put_u16(raw, CTA_PROTO_DST_PORT, htons(flow.client.port));
    nla_nest_end(raw, ports);
    nla_nest_end(raw, tuple);
    if (flow.answered)
        nla_put_u32(raw, CTA_STATUS, htonl(IPS_SEEN_REPLY));
    return message;
}

}  // namespace testing
