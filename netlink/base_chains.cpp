#include "netlink/base_chains.hpp"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <unistd.h>

#include <fstream>
#include <string_view>

#include "netlink/nft_dump.hpp"
#include "netlink/received.hpp"

namespace netlink {
namespace {

constexpr int ipvs_priority = 98;

bool ends_with_drop(const DroppingChain& chain) {
    Message request = nft::dump_request(NFT_MSG_GETRULE, nft::family_number(chain.family));
    nla_put_string(request.get(), NFTA_RULE_TABLE, chain.table.c_str());
    nla_put_string(request.get(), NFTA_RULE_CHAIN, chain.name.c_str());
    bool drops = false;
    nft::visit_dump(request, [&](nlmsghdr* header) { drops = nft::drops_everything(header); });
    return drops;
}

/// The file is readable for root only; without it the module must do, which is there before the table is.
bool legacy_filter_is_in_use() {
    for (const char* path : {"/proc/net/ip_tables_names", "/proc/net/ip6_tables_names"}) {
        std::ifstream file(path);
        for (std::string table; file >> table;)
            if (table == "filter")
                return true;
    }
    const bool readable = ::access("/proc/net/ip_tables_names", R_OK) == 0;
    return !readable && ::access("/sys/module/iptable_filter", F_OK) == 0;
}

/// An expression that lets everything pass on to the next one of its rule.
bool passes_on(std::string_view expression) {
    return expression == "counter" || expression == "log";
}

/// `drop` of nft, and of iptables-nft.
bool is_drop(nlattr* data) {
    const auto decision = nft::decision_of(data);
    return decision && decision->code == NF_DROP;
}

/// REJECT of iptables-nft.
bool is_reject_target(nlattr* data) {
    nlattr* parts[NFTA_TARGET_MAX + 1] = {};
    return nla_parse_nested(parts, NFTA_TARGET_MAX, data, nullptr) >= 0 && text_of(parts[NFTA_TARGET_NAME]) == "REJECT";
}

}  // namespace

HostFirewall read_host_firewall() {
    std::vector<DroppingChain> chains;
    HostFirewall found;
    nft::visit_dump(nft::dump_request(NFT_MSG_GETCHAIN, NFPROTO_UNSPEC), [&](nlmsghdr* header) {
        nft::note_proxy_chain(header, found.of_kube_proxy);
        if (auto chain = nft::parse_input_chain(header))
            chains.push_back(std::move(*chain));
    });
    found.legacy = legacy_filter_is_in_use();
    for (DroppingChain& chain : chains)
        if (chain.by_policy || ends_with_drop(chain))
            found.chains.push_back(std::move(chain));
    return found;
}

namespace nft {

std::optional<DroppingChain> parse_input_chain(nlmsghdr* header) {
    const auto body = body_of<nfgenmsg>(header);
    const auto attributes = attributes_of<nfgenmsg, NFTA_CHAIN_MAX>(header);
    nlattr* hook[NFTA_HOOK_MAX + 1] = {};
    if (!body || !attributes || (*attributes)[NFTA_CHAIN_TABLE] == nullptr ||
        (*attributes)[NFTA_CHAIN_NAME] == nullptr || (*attributes)[NFTA_CHAIN_HOOK] == nullptr ||
        nla_parse_nested(hook, NFTA_HOOK_MAX, (*attributes)[NFTA_CHAIN_HOOK], nullptr) < 0)
        return std::nullopt;
    const auto priority = number_of(hook[NFTA_HOOK_PRIORITY]);
    if (!priority || number_of(hook[NFTA_HOOK_HOOKNUM]) != NF_INET_LOCAL_IN)
        return std::nullopt;
    DroppingChain chain;
    chain.family = family_name(body->nfgen_family);
    chain.priority = static_cast<int>(*priority);
    if (chain.family.empty() || chain.priority >= ipvs_priority)
        return std::nullopt;
    chain.table = text_of((*attributes)[NFTA_CHAIN_TABLE]);
    chain.name = text_of((*attributes)[NFTA_CHAIN_NAME]);
    chain.by_policy = number_of((*attributes)[NFTA_CHAIN_POLICY]) == NF_DROP;
    return chain;
}

void note_proxy_chain(nlmsghdr* header, ProxyChains& found) {
    const auto body = body_of<nfgenmsg>(header);
    const auto attributes = attributes_of<nfgenmsg, NFTA_CHAIN_MAX>(header);
    if (!body || !attributes || (*attributes)[NFTA_CHAIN_TABLE] == nullptr || (*attributes)[NFTA_CHAIN_NAME] == nullptr)
        return;
    const std::string family = family_name(body->nfgen_family);
    const std::string table(text_of((*attributes)[NFTA_CHAIN_TABLE]));
    const std::string name(text_of((*attributes)[NFTA_CHAIN_NAME]));
    if (family != "ip" && family != "ip6")
        return;
    if (found.table.empty() && table == "kube-proxy")
        found.table = family + " " + table;
    if (found.chain.empty() && (name == "KUBE-SERVICES" || name == "KUBE-PROXY-CANARY"))
        found.chain = name + " (" + family + " " + table + ")";
}

bool drops_everything(nlmsghdr* header) {
    nlattr* found[NFTA_RULE_MAX + 1] = {};
    if (nlmsg_parse(header, sizeof(nfgenmsg), found, NFTA_RULE_MAX, nullptr) < 0 ||
        found[NFTA_RULE_EXPRESSIONS] == nullptr)
        return false;
    nlattr* item = nullptr;
    int left = 0;
    nla_for_each_nested(item, found[NFTA_RULE_EXPRESSIONS], left) {
        nlattr* parts[NFTA_EXPR_MAX + 1] = {};
        if (nla_parse_nested(parts, NFTA_EXPR_MAX, item, nullptr) < 0 || parts[NFTA_EXPR_NAME] == nullptr)
            return false;
        const std::string_view expression = text_of(parts[NFTA_EXPR_NAME]);
        nlattr* data = parts[NFTA_EXPR_DATA];
        if (expression == "reject")
            return true;
        if (expression == "immediate")
            return data != nullptr && is_drop(data);
        if (expression == "target")
            return data != nullptr && is_reject_target(data);
        if (!passes_on(expression))
            return false;
    }
    return false;
}

}  // namespace nft
}  // namespace netlink
