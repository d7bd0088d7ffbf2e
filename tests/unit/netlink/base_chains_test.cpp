// Chains and rules of others, as the kernel tells of them, and odd ones that it does not.
#include "netlink/base_chains.hpp"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>

#include <catch2/catch.hpp>
#include <functional>

#include "netlink/input_passage.hpp"
#include "netlink/nfnetlink.hpp"
#include "netlink/nft_expressions.hpp"

using namespace netlink;
using nft::put_number;
using nft::put_text;

namespace {

Message message(int family) {
    return nfnetlink_message(NFNL_SUBSYS_NFTABLES, 0, family, 0, 4096);
}

ProxyChains shown_by(int family, const std::string& table, const std::string& name) {
    const Message chain = message(family);
    put_text(chain, NFTA_CHAIN_TABLE, table);
    put_text(chain, NFTA_CHAIN_NAME, name);
    ProxyChains found;
    nft::note_proxy_chain(chain.header(), found);
    return found;
}

struct ChainSays {
    int family = NFPROTO_INET;
    int hook = NF_INET_LOCAL_IN;
    int priority = 0;
    int policy = NF_DROP;
    std::string name = "input";
};

Message chain(const ChainSays& says) {
    Message made = message(says.family);
    put_text(made, NFTA_CHAIN_TABLE, "hostfw");
    put_text(made, NFTA_CHAIN_NAME, says.name);
    if (says.hook >= 0) {
        const Nest hook(made, NFTA_CHAIN_HOOK);
        put_number(made, NFTA_HOOK_HOOKNUM, static_cast<std::uint32_t>(says.hook));
        put_number(made, NFTA_HOOK_PRIORITY, static_cast<std::uint32_t>(says.priority));
    }
    if (says.policy >= 0)
        put_number(made, NFTA_CHAIN_POLICY, static_cast<std::uint32_t>(says.policy));
    put_text(made, NFTA_CHAIN_MAX + 20, "of a kernel that knows more");
    return made;
}

std::string read_chain(const ChainSays& says) {
    const Message made = chain(says);
    const auto found = nft::parse_input_chain(made.header());
    if (!found)
        return "none";
    return found->family + " " + found->table + " " + found->name + " " + std::to_string(found->priority) +
           (found->by_policy ? " drops" : "");
}

using PutData = std::function<void(const Message&)>;

void put_expression(const Message& to, const std::string& name, const PutData& data = {}) {
    const Nest item(to, NFTA_LIST_ELEM);
    put_text(to, NFTA_EXPR_NAME, name);
    if (data) {
        const Nest nest(to, NFTA_EXPR_DATA);
        data(to);
    }
}

PutData verdict(int code) {
    return [code](const Message& to) {
        put_number(to, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
        const Nest data(to, NFTA_IMMEDIATE_DATA);
        const Nest inside(to, NFTA_DATA_VERDICT);
        put_number(to, NFTA_VERDICT_CODE, static_cast<std::uint32_t>(code));
    };
}

PutData target(const std::string& name) {
    return [name](const Message& to) { put_text(to, NFTA_TARGET_NAME, name); };
}

PutData packets(std::uint64_t count) {
    return [count](const Message& to) {
        const std::uint64_t wire = htobe64(count);
        put(to, NFTA_COUNTER_BYTES, &wire, sizeof(wire));
        put(to, NFTA_COUNTER_PACKETS, &wire, sizeof(wire));
    };
}

struct Expression {
    std::string name;
    PutData data;
};

Message rule(const std::vector<Expression>& expressions, const std::string& comment = "") {
    Message made = message(NFPROTO_INET);
    {
        const Nest all(made, NFTA_RULE_EXPRESSIONS);
        for (const Expression& one : expressions)
            put_expression(made, one.name, one.data);
    }
    const std::string user_data = std::string(1, '\0') + static_cast<char>(comment.size() + 1) + comment + '\0';
    put(made, NFTA_RULE_USERDATA, user_data.data(), user_data.size());
    return made;
}

}  // namespace

TEST_CASE("chains of hook input before IPVS are found, and no others") {
    struct Row {
        const char* what;
        ChainSays says;
        const char* read;
    };
    const Row rows[] = {
        {"policy drop", {}, "inet hostfw input 0 drops"},
        {"policy accept", {.policy = NF_ACCEPT}, "inet hostfw input 0"},
        {"no policy", {.policy = -1}, "inet hostfw input 0"},
        {"before everything", {.priority = -300}, "inet hostfw input -300 drops"},
        {"just before IPVS", {.priority = 97}, "inet hostfw input 97 drops"},
        {"after IPVS has taken what is its own", {.priority = 98}, "none"},
        {"IPv4", {.family = NFPROTO_IPV4}, "ip hostfw input 0 drops"},
        {"IPv6", {.family = NFPROTO_IPV6}, "ip6 hostfw input 0 drops"},
        {"a bridge", {.family = NFPROTO_BRIDGE}, "none"},
        {"another hook", {.hook = NF_INET_FORWARD}, "none"},
        {"no base chain", {.hook = -1}, "none"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        CHECK(read_chain(row.says) == row.read);
    }
    Message odd = message(NFPROTO_INET);
    CHECK_FALSE(nft::parse_input_chain(odd.header()));
    put_u16(odd, NFTA_CHAIN_HOOK, 7);
    put_u16(odd, NFTA_CHAIN_TABLE, 7);
    put_u16(odd, NFTA_CHAIN_NAME, 7);
    CHECK_FALSE(nft::parse_input_chain(odd.header()));
}

TEST_CASE("a rule that drops everything is told from one that asks first") {
    struct Row {
        const char* what;
        std::vector<Expression> rule;
        bool drops;
    };
    const Row rows[] = {
        {"drop", {{"immediate", verdict(NF_DROP)}}, true},
        {"counter log drop", {{"counter", packets(7)}, {"log", {}}, {"immediate", verdict(NF_DROP)}}, true},
        {"reject", {{"reject", {}}}, true},
        {"REJECT of iptables", {{"counter", packets(7)}, {"target", target("REJECT")}}, true},
        {"LOG of iptables", {{"counter", packets(7)}, {"target", target("LOG")}}, false},
        {"accept", {{"immediate", verdict(NF_ACCEPT)}}, false},
        {"a jump", {{"immediate", verdict(NFT_JUMP)}}, false},
        {"a condition", {{"meta", {}}, {"cmp", {}}, {"immediate", verdict(NF_DROP)}}, false},
        {"a limit", {{"limit", {}}, {"immediate", verdict(NF_DROP)}}, false},
        {"an expression without data", {{"immediate", {}}}, false},
        {"nothing", {}, false},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        const Message made = rule(row.rule);
        CHECK(nft::drops_everything(made.header()) == row.drops);
    }
    CHECK_FALSE(nft::drops_everything(message(NFPROTO_INET).header()));
}

TEST_CASE("what our rules have counted on both sides of the host's firewall") {
    Passage passage;
    const auto add = [&](const std::string& comment, const std::vector<Expression>& expressions) {
        const Message made = rule(expressions, "01234567: " + comment);
        nft::add_passage(made.header(), passage);
    };
    const Lane outside4{true, false};
    const Lane cluster6{false, true};
    add("another rule", {{"counter", packets(100)}});
    add(nft::passage_comment(false, outside4), {{"lookup", {}}, {"counter", packets(5)}});
    add(nft::passage_comment(false, outside4), {{"counter", packets(2)}});
    add(nft::passage_comment(true, outside4), {{"counter", packets(3)}});
    add(nft::passage_comment(true, cluster6), {{"lookup", {}}});
    CHECK(passage == Passage{{outside4, {7, 3}}, {cluster6, {0, 0}}});
}

TEST_CASE("chains of kube-proxy are known, and the kubelet's are none of them") {
    CHECK(shown_by(NFPROTO_IPV4, "kube-proxy", "services").table == "ip kube-proxy");
    CHECK(shown_by(NFPROTO_IPV6, "kube-proxy", "services").table == "ip6 kube-proxy");
    CHECK(shown_by(NFPROTO_IPV4, "nat", "KUBE-SERVICES").chain == "KUBE-SERVICES (ip nat)");
    CHECK(shown_by(NFPROTO_IPV6, "mangle", "KUBE-PROXY-CANARY").chain == "KUBE-PROXY-CANARY (ip6 mangle)");
    for (const char* name : {"KUBE-FIREWALL", "KUBE-KUBELET-CANARY", "KUBE-MARK-DROP", "INPUT"})
        CHECK(shown_by(NFPROTO_IPV4, "filter", name) == ProxyChains{});
    CHECK(shown_by(NFPROTO_INET, "kube-proxy", "services") == ProxyChains{});
}
