// What kube-proxy has left, as the kernel tells of it, and what others have beside it.
#include "netlink/kube_proxy_remains.hpp"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/ipset/ip_set.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <catch2/catch.hpp>

#include "netlink/nfnetlink.hpp"
#include "netlink/nft_expressions.hpp"

using namespace netlink;
using nft::put_text;

namespace {

Message message(int family) {
    return nfnetlink_message(NFNL_SUBSYS_NFTABLES, 0, family, 0, 4096);
}

void put_decision(const Message& rule, int code, const std::string& chain) {
    const Nest expression(rule, NFTA_LIST_ELEM);
    put_text(rule, NFTA_EXPR_NAME, "immediate");
    const Nest data(rule, NFTA_EXPR_DATA);
    const Nest immediate(rule, NFTA_IMMEDIATE_DATA);
    const Nest verdict(rule, NFTA_DATA_VERDICT);
    put_u32(rule, NFTA_VERDICT_CODE, htonl(static_cast<std::uint32_t>(code)));
    if (!chain.empty())
        put_text(rule, NFTA_VERDICT_CHAIN, chain);
}

Message rule_to(int code, const std::string& chain) {
    Message rule = message(NFPROTO_IPV4);
    put_text(rule, NFTA_RULE_TABLE, "nat");
    put_text(rule, NFTA_RULE_CHAIN, "PREROUTING");
    const unsigned char handle[] = {0, 0, 0, 0, 0, 0, 1, 7};
    put(rule, NFTA_RULE_HANDLE, handle, sizeof(handle));
    const Nest list(rule, NFTA_RULE_EXPRESSIONS);
    {
        const Nest expression(rule, NFTA_LIST_ELEM);
        put_text(rule, NFTA_EXPR_NAME, "counter");
    }
    put_decision(rule, code, chain);
    return rule;
}

}  // namespace

TEST_CASE("chains of kube-proxy are told from the kubelet's, network policies' and plugins'") {
    const auto [name, is_one] = GENERATE(table<std::string, bool>({
        {"KUBE-SERVICES", true},
        {"KUBE-EXTERNAL-SERVICES", true},
        {"KUBE-NODEPORTS", true},
        {"KUBE-POSTROUTING", true},
        {"KUBE-MARK-MASQ", true},
        {"KUBE-FORWARD", true},
        {"KUBE-PROXY-FIREWALL", true},
        {"KUBE-PROXY-CANARY", true},
        {"KUBE-SVC-NPX46M4PTMTKRN6Y", true},
        {"KUBE-SEP-6E7XQMQ4RAYOWTTM", true},
        {"KUBE-EXT-TCOU7JCQXEZGVUNU", true},
        {"KUBE-NODE-PORT", true},
        {"KUBE-IPVS-FILTER", true},
        {"KUBE-SOURCE-RANGES-FIREWALL", true},
        {"KUBE-FIREWALL", false},
        {"KUBE-MARK-DROP", false},
        {"KUBE-KUBELET-CANARY", false},
        {"KUBE-ROUTER-INPUT", false},
        {"KUBE-POD-FW-XYZ", false},
        {"KUBE-NWPLCY-XYZ", false},
        {"KUBE-SERVICES-OF-MINE", false},
        {"PREROUTING", false},
        {"", false},
    }));
    INFO(name);
    CHECK(is_chain_of_kube_proxy(name) == is_one);
}

TEST_CASE("ipsets of kube-proxy are told from those of kube-router and plugins") {
    const auto [name, is_one] = GENERATE(table<std::string, bool>({
        {"KUBE-CLUSTER-IP", true},
        {"KUBE-6-CLUSTER-IP", true},
        {"KUBE-LOOP-BACK", true},
        {"KUBE-LOAD-BALANCER-SOURCE-CIDR", true},
        {"KUBE-NODE-PORT-LOCAL-SCTP-HASH", true},
        {"KUBE-HEALTH-CHECK-NODE-PORT", true},
        {"KUBE-IPVS-IPS", true},
        {"KUBE-SRC-ABCDEF", false},
        {"KUBE-DST-ABCDEF", false},
        {"KUBE-CLUSTER-IPS", false},
        {"KUBE-", false},
        {"kube-router-node-ips", false},
        {"cali40s:x", false},
        {"", false},
    }));
    INFO(name);
    CHECK(is_set_of_kube_proxy(name) == is_one);
}

TEST_CASE("of others' rules only those that lead to a chain of kube-proxy are found") {
    const auto jump = nft::parse_jump(rule_to(NFT_JUMP, "KUBE-SERVICES").header());
    REQUIRE(jump);
    CHECK(*jump == JumpRule{{"ip", "nat", "PREROUTING"}, 0x107});
    CHECK(nft::parse_jump(rule_to(NFT_GOTO, "KUBE-SVC-X").header()));
    CHECK_FALSE(nft::parse_jump(rule_to(NFT_JUMP, "DOCKER").header()));
    CHECK_FALSE(nft::parse_jump(rule_to(NF_DROP, "").header()));
    CHECK_FALSE(nft::parse_jump(message(NFPROTO_IPV4).header()));
    Message cut = rule_to(NFT_JUMP, "KUBE-SERVICES");
    cut.header()->nlmsg_len = NLMSG_LENGTH(1);
    CHECK_FALSE(nft::parse_jump(cut.header()));
}

TEST_CASE("a chain is read, and whether it has a hook") {
    const bool is_base = GENERATE(true, false);
    const Message chain = message(NFPROTO_IPV6);
    put_text(chain, NFTA_CHAIN_TABLE, "filter");
    put_text(chain, NFTA_CHAIN_NAME, "INPUT");
    if (is_base)
        put(chain, NFTA_CHAIN_HOOK | NLA_F_NESTED, nullptr, 0);
    const auto found = nft::parse_chain(chain.header());
    REQUIRE(found);
    CHECK(found->chain == NamedChain{"ip6", "filter", "INPUT"});
    CHECK(found->is_base == is_base);
    CHECK_FALSE(nft::parse_chain(message(NFPROTO_IPV4).header()));
}

TEST_CASE("the name of an ipset is read") {
    const Message named = message(NFPROTO_IPV4);
    put_text(named, IPSET_ATTR_SETNAME, "KUBE-CLUSTER-IP");
    CHECK(nft::parse_set_name(named.header()) == "KUBE-CLUSTER-IP");
    CHECK(nft::parse_set_name(message(NFPROTO_IPV4).header()).empty());
}
