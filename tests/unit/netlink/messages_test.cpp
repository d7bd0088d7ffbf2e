// The bytes on the wire, taken apart again by the same attributes the kernel reads.
#include <arpa/inet.h>
#include <linux/ip_vs.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <netlink/genl/genl.h>
#include <catch2/catch.hpp>
#include <cstring>
#include <utility>

#include "netlink/conntrack.hpp"
#include "netlink/ipvs_connections.hpp"
#include "netlink/ipvs_messages.hpp"
#include "netlink/received.hpp"
#include "netlink/routes.hpp"
#include "netlink/set_messages.hpp"
#include "tests/support/flows.hpp"

using namespace netlink;

namespace {

Address ip(const char* text) {
    return base::make_address(text);
}

std::shared_ptr<const base::Prefix> network(const char* address, int length) {
    return std::make_shared<base::Prefix>(base::Prefix{ip(address), length});
}

}  // namespace

TEST_CASE("a virtual server with a mark has a family and nothing else") {
    const VirtualServer server{ip(GENERATE("0.0.0.0", "::")), Protocol::none, 0, 0x50460001};
    const Message message = ipvs::add_service(30, server, {});
    const auto parsed = ipvs::parse_service(message.header());
    REQUIRE(parsed);
    CHECK(parsed->first == server);
}

TEST_CASE("a virtual server's message says what it was made from") {
    const VirtualServer server{ip(GENERATE("10.96.0.5", "fd00:96::5")), Protocol::udp, 53};
    const VirtualServerSettings settings{"wrr", true, 600};
    const Message message = ipvs::add_service(30, server, settings);
    const auto parsed = ipvs::parse_service(message.header());
    REQUIRE(parsed);
    CHECK(parsed->first == server);
    CHECK(parsed->second == settings);
}

TEST_CASE("a destination's message says what it was made from") {
    const VirtualServer server{ip("10.96.0.5"), Protocol::tcp, 80};
    const RealServer real{ip("10.1.0.11"), 8080};
    const Message message = ipvs::add_destination(30, server, real, 0);
    const auto parsed = ipvs::parse_destination(message.header(), server);
    REQUIRE(parsed);
    CHECK(parsed->first == real);
    CHECK(parsed->second == 0);
}

TEST_CASE("a destination to which packets go in another way than ours has no weight that we could want") {
    const std::uint32_t method =
        GENERATE(IP_VS_CONN_F_LOCALNODE, IP_VS_CONN_F_TUNNEL, IP_VS_CONN_F_DROUTE, IP_VS_CONN_F_BYPASS);
    const VirtualServer server{ip("10.96.0.5"), Protocol::tcp, 80};
    const RealServer real{ip("10.1.0.11"), 8080};
    const Message message = ipvs::add_destination(30, server, real, 1);
    nlattr* nest = nlmsg_find_attr(message.header(), GENL_HDRLEN, IPVS_CMD_ATTR_DEST);
    nlattr* forwarding = nla_find(static_cast<nlattr*>(nla_data(nest)), nla_len(nest), IPVS_DEST_ATTR_FWD_METHOD);
    std::memcpy(nla_data(forwarding), &method, sizeof(method));
    CHECK(ipvs::parse_destination(message.header(), server) == std::pair(real, -1));
}

TEST_CASE("a destination's connections are its active and its inactive ones, without templates of affinity") {
    struct Row {
        std::uint32_t active;
        std::uint32_t inactive;
        std::uint32_t templates;
        std::uint64_t connections;
    };
    const Row row = GENERATE(Row{0, 0, 0, 0}, Row{1, 0, 0, 1}, Row{0, 1, 0, 1}, Row{2, 3, 0, 5}, Row{0, 0, 7, 0});
    const VirtualServer server{ip("10.96.0.5"), Protocol::tcp, 80};
    const RealServer real{ip("10.1.0.11"), 8080};
    const Message message = ipvs::add_destination(30, server, real, 0);
    nlattr* destination = nlmsg_find_attr(message.header(), GENL_HDRLEN, IPVS_CMD_ATTR_DEST);  // the last one
    for (const auto& [kind, count] :
         {std::pair(IPVS_DEST_ATTR_ACTIVE_CONNS, row.active), std::pair(IPVS_DEST_ATTR_INACT_CONNS, row.inactive),
          std::pair(IPVS_DEST_ATTR_PERSIST_CONNS, row.templates)}) {
        nla_put_u32(message.get(), kind, count);
        destination->nla_len = static_cast<std::uint16_t>(destination->nla_len + nla_total_size(sizeof(count)));
    }
    CHECK(ipvs::parse_open_connections(message.header(), server) == std::pair(real, row.connections));
}

TEST_CASE("elements survive the way into a message and back") {
    const Element element = GENERATE(values<Element>({
        {Set::served, ip("10.96.0.5"), Protocol::tcp, 443},
        {Set::cluster, ip("fd00:96::5"), Protocol::sctp, 65535},
        {Set::virtual_address, ip("10.96.0.5"), Protocol::none, 0},
        {Set::hairpin, ip("fd00:1::1"), Protocol::none, 0},
        {Set::node_port, {}, Protocol::udp, 30053},
        {Set::internal_mark, ip("fd00:96::5"), Protocol::tcp, 80, 0x50460001},
        {Set::outside_node_port_mark, {}, Protocol::tcp, 30080, 0x5046ffff},
        {Set::mark, {}, Protocol::none, 0, 0x50460001},
        {Set::allowed, ip("203.0.113.8"), Protocol::tcp, 80, 0, network("10.0.0.0", 8)},
        {Set::allowed, ip("fd00::8"), Protocol::udp, 53, 0, network("fd00:2::", 112)},
    }));
    CAPTURE(to_string(element));
    const Message message = nft::change_elements(true, {&element});
    Element shape = element;
    shape.protocol = Protocol::none;
    shape.port = 0;
    shape.mark = 0;
    std::set<Element> parsed;
    nft::parse_elements(message.header(), shape, parsed);
    CHECK(parsed == std::set<Element>{element});
}

TEST_CASE("a thousand elements fit into one message") {
    std::vector<Element> elements;
    for (int i = 0; i < 1000; ++i)
        elements.push_back({Set::served, ip("fd00:96::5"), Protocol::tcp, static_cast<std::uint16_t>(i + 1)});
    std::vector<const Element*> pointers;
    for (const Element& element : elements)
        pointers.push_back(&element);
    const Message message = nft::change_elements(true, pointers);
    std::set<Element> parsed;
    nft::parse_elements(message.header(), {Set::served, ip("::"), Protocol::none, 0}, parsed);
    CHECK(parsed.size() == 1000);
}

TEST_CASE("a batch keeps its messages apart") {
    Batch batch;
    batch.append(nft::batch_begin());
    batch.append(nft::batch_end());
    REQUIRE(batch.size() == 2);
    CHECK(batch.start(2) == batch.bytes().size());
    const auto* second = reinterpret_cast<const nlmsghdr*>(batch.bytes().data() + batch.start(1));
    CHECK(second->nlmsg_type == NFNL_MSG_BATCH_END);
    CHECK((second->nlmsg_flags & NLM_F_REQUEST) != 0);
}

TEST_CASE("a local route carries our protocol number, device and source") {
    RouteStyle style{159, 7, {ip("192.168.50.10"), ip("fd00:50::10")}};
    const Message message = add_route(style, {ip("fd00:96::5")});
    const auto* body = static_cast<const rtmsg*>(nlmsg_data(message.header()));
    CHECK(body->rtm_protocol == 159);
    CHECK(body->rtm_table == RT_TABLE_LOCAL);
    CHECK(body->rtm_dst_len == 128);
    nlattr* found[RTA_MAX + 1] = {};
    REQUIRE(nlmsg_parse(message.header(), sizeof(rtmsg), found, RTA_MAX, nullptr) == 0);
    CHECK(nla_get_u32(found[RTA_OIF]) == 7);
    CHECK(address_of(found[RTA_PREFSRC]) == ip("fd00:50::10"));
}

TEST_CASE("an entry of connection tracking survives the way into a message and back") {
    const Flow flow = GENERATE(values<Flow>({
        {{ip("10.1.0.99"), 4000}, {ip("10.96.0.10"), Protocol::udp, 53}, {ip("10.1.0.11"), 5353}, 0, std::nullopt},
        {{ip("fd00:1::99"), 65535},
         {ip("fd00:96::a"), Protocol::tcp, 53},
         {ip("fd00:1::11"), 5353},
         9,
         0x12345678,
         true},
        {{ip("fd00:1::99"), 65535}, {ip("fd00:96::a"), Protocol::sctp, 53}, {ip("fd00:1::11"), 5353}, 9, 0x12345678},
    }));
    const Message message = testing::entry(flow);
    CHECK(static_cast<const nfgenmsg*>(nlmsg_data(message.header()))->nfgen_family == family_of(flow.to.address));
    const auto parsed = conntrack::parse(message.header());
    REQUIRE(parsed);
    CHECK(parsed->client == flow.client);
    CHECK(parsed->to == flow.to);
    CHECK(parsed->answerer == flow.answerer);
    CHECK(parsed->zone == flow.zone);
    CHECK(parsed->id == flow.id);
    CHECK(parsed->answered == flow.answered);
}

TEST_CASE("a line of /proc/net/ip_vs_conn is a connection") {
    using ipvs::parse_connection;
    struct Row {
        const char* line;
        ipvs::Connection is;
    };
    const Row rows[] = {
        {"TCP 0A010063 0FA0 0A600005 0050 0A01000B 1F90 ESTABLISHED     899",
         {{ip("10.1.0.99"), 4000}, {ip("10.96.0.5"), Protocol::tcp, 80}}},
        {"UDP C0A83264 FFFF 0A600005 0035 0A01000B 1F90 UDP             299",
         {{ip("192.168.50.100"), 65535}, {ip("10.96.0.5"), Protocol::udp, 53}}},
        {"SCTP fd00:0001:0000:0000:0000:0000:0000:0099 0FA0 fd00:0096:0000:0000:0000:0000:0000:0005 0050 "
         "fd00:0001:0000:0000:0000:0000:0000:0011 1F90 ESTABLISHED     899",
         {{ip("fd00:1::99"), 4000}, {ip("fd00:96::5"), Protocol::sctp, 80}}},
    };
    for (const Row& row : rows) {
        CAPTURE(row.line);
        CHECK(parse_connection(row.line) == row.is);
    }
    for (const char* other : {"Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData", "",
                              "IP  0A010063 0000 0A600005 0000 0A01000B 0000 NONE        899", "TCP 0A010063 0FA0 0A60",
                              "TCP 0A010063 0FA0 0A600005 10050 0A01000B 1F90 ESTABLISHED     899"}) {
        CAPTURE(other);
        CHECK_FALSE(parse_connection(other));
    }
}

TEST_CASE("what is no entry with ports is none") {
    const Flow flow{
        {ip("10.1.0.99"), 4000}, {ip("10.96.0.10"), Protocol::udp, 53}, {ip("10.1.0.11"), 5353}, 0, std::nullopt};
    Flow ping = flow;
    ping.to.protocol = Protocol{IPPROTO_ICMP};
    CHECK_FALSE(conntrack::parse(testing::entry(ping).header()));
    CHECK_FALSE(conntrack::parse(conntrack::deletion(flow).header()));
    CHECK_FALSE(conntrack::parse(conntrack::dump_of(Protocol::udp, false, false).header()));
    CHECK_FALSE(conntrack::parse(nft::batch_end().header()));
}
