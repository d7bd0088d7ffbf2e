#include "netlink/kube_proxy_remains.hpp"

#include <arpa/inet.h>
#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/ipset/ip_set.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <set>
#include <system_error>
#include <thread>
#include <utility>

#include "netlink/nfnetlink.hpp"
#include "netlink/nft_dump.hpp"
#include "netlink/nft_expressions.hpp"
#include "netlink/set_messages.hpp"
#include "netlink/socket.hpp"

namespace netlink {
namespace {

constexpr const char* table_of_kube_proxy = "kube-proxy";
constexpr std::size_t most_chains = 500'000;  // a Service has one and one for each endpoint, in mode iptables
constexpr std::uint8_t ipset_protocol = 6;    // of Linux 2.6.39, and good enough for all since
// The kernel lets go of a rule's set some time after the rule.
constexpr auto patience = std::chrono::seconds(5);
constexpr auto pause = std::chrono::milliseconds(50);

Message request(int type, const std::string& family) {
    return nfnetlink_message(NFNL_SUBSYS_NFTABLES, type, nft::family_number(family), 0);
}

Message deletion_of_rule(const JumpRule& rule) {
    Message message = request(NFT_MSG_DELRULE, rule.chain.family);
    nft::put_text(message, NFTA_RULE_TABLE, rule.chain.table);
    nft::put_text(message, NFTA_RULE_CHAIN, rule.chain.name);
    const std::uint64_t handle = htobe64(rule.handle);
    put(message, NFTA_RULE_HANDLE, &handle, sizeof(handle));
    return message;
}

Message deletion_of_rules(const NamedChain& chain) {
    Message message = request(NFT_MSG_DELRULE, chain.family);
    nft::put_text(message, NFTA_RULE_TABLE, chain.table);
    nft::put_text(message, NFTA_RULE_CHAIN, chain.name);
    return message;
}

Message deletion_of_chain(const NamedChain& chain) {
    Message message = request(NFT_MSG_DELCHAIN, chain.family);
    nft::put_text(message, NFTA_CHAIN_TABLE, chain.table);
    nft::put_text(message, NFTA_CHAIN_NAME, chain.name);
    return message;
}

Message deletion_of_table(const std::string& family) {
    Message message = request(NFT_MSG_DELTABLE, family);
    nft::put_text(message, NFTA_TABLE_NAME, table_of_kube_proxy);
    return message;
}

Message set_message(int command, int flags) {
    Message message = nfnetlink_message(NFNL_SUBSYS_IPSET, command, NFPROTO_IPV4, flags);
    put(message, IPSET_ATTR_PROTOCOL, &ipset_protocol, sizeof(ipset_protocol));
    return message;
}

/// Removes them in as many transactions as it takes. A sentence when the kernel refuses one; what comes behind is tried
/// too.
template <class Things, class Make>
void remove_all(const Things& things, const std::string& what, const Make& make, std::vector<std::string>& refused) {
    Socket socket(NETLINK_NETFILTER);
    int error = 0;
    for (auto next = things.begin(); next != things.end();) {
        Batch batch;
        batch.append(nft::batch_begin());
        for (; next != things.end() && !batch.full(); ++next)
            batch.append(make(*next));
        batch.append(nft::batch_end());
        const auto rejections = socket.transact_whole(batch);
        if (!rejections.empty())
            error = rejections.front().error;
    }
    if (error != 0)
        refused.push_back(what + ": " + std::error_code(error, std::system_category()).message());
}

/// Returns nothing without the module, which asking would load.
std::vector<std::string> read_sets() {
    std::vector<std::string> sets;
    if (::access("/sys/module/ip_set", F_OK) != 0)
        return sets;
    const Message list = set_message(IPSET_CMD_LIST, NLM_F_DUMP);
    const std::uint32_t names_only = htonl(IPSET_FLAG_LIST_SETNAME);
    put(list, IPSET_ATTR_FLAGS | NLA_F_NET_BYTEORDER, &names_only, sizeof(names_only));
    nft::visit_dump(list, [&](nlmsghdr* header) {
        if (std::string name = nft::parse_set_name(header); is_set_of_kube_proxy(name))
            sets.push_back(std::move(name));
    });
    return sets;
}

/// Those that are still in use.
std::vector<std::string> destroy(const std::vector<std::string>& sets, int& error) {
    std::vector<std::string> left;
    Socket socket(NETLINK_NETFILTER);
    for (const std::string& name : sets) {
        Batch batch;
        const Message message = set_message(IPSET_CMD_DESTROY, 0);
        nft::put_text(message, IPSET_ATTR_SETNAME, name);
        batch.append(message);
        const auto rejections = socket.transact(batch);
        if (rejections.empty() || rejections.front().error == ENOENT)
            continue;
        left.push_back(name);
        error = rejections.front().error;
    }
    return left;
}

void destroy_sets(std::vector<std::string> sets, std::vector<std::string>& refused) {
    const auto end = std::chrono::steady_clock::now() + patience;
    int error = 0;
    while (!sets.empty()) {
        sets = destroy(sets, error);
        if (sets.empty() || std::chrono::steady_clock::now() > end)
            break;
        std::this_thread::sleep_for(pause);
    }
    // The kernel numbers errors of ipset beyond errno: a set that something refers to is one of them.
    if (!sets.empty())
        refused.push_back("ipset " + sets.front() + (sets.size() > 1 ? " and others" : "") + ": " +
                          (error >= IPSET_ERR_PRIVATE ? "something uses it"
                                                      : std::error_code(error, std::system_category()).message()));
}

std::vector<NamedChain> base_chains_beside(const std::vector<nft::ListedChain>& all,
                                           const std::vector<NamedChain>& ours) {
    std::set<std::pair<std::string, std::string>> tables;
    for (const NamedChain& chain : ours)
        tables.emplace(chain.family, chain.table);
    std::vector<NamedChain> found;
    for (const nft::ListedChain& listed : all)
        if (listed.is_base && tables.contains({listed.chain.family, listed.chain.table}))
            found.push_back(listed.chain);
    return found;
}

}  // namespace

bool is_chain_of_kube_proxy(std::string_view name) {
    constexpr std::array<std::string_view, 13> names = {"KUBE-SERVICES",
                                                        "KUBE-EXTERNAL-SERVICES",
                                                        "KUBE-NODEPORTS",
                                                        "KUBE-POSTROUTING",
                                                        "KUBE-MARK-MASQ",
                                                        "KUBE-FORWARD",
                                                        "KUBE-PROXY-FIREWALL",
                                                        "KUBE-PROXY-CANARY",
                                                        "KUBE-LOAD-BALANCER",
                                                        "KUBE-NODE-PORT",
                                                        "KUBE-IPVS-OUT-FILTER",
                                                        "KUBE-IPVS-FILTER",
                                                        "KUBE-SOURCE-RANGES-FIREWALL"};
    constexpr std::array<std::string_view, 6> of_services = {"KUBE-SVC-", "KUBE-SEP-", "KUBE-FW-",
                                                             "KUBE-XLB-", "KUBE-EXT-", "KUBE-SVL-"};
    return std::find(names.begin(), names.end(), name) != names.end() ||
           std::any_of(of_services.begin(), of_services.end(),
                       [&](std::string_view begin) { return name.starts_with(begin); });
}

bool is_set_of_kube_proxy(std::string_view name) {
    constexpr std::string_view of_ipv6 = "KUBE-6-";
    constexpr std::array<std::string_view, 7> begins = {
        "LOOP-BACK", "CLUSTER-IP", "EXTERNAL-IP", "LOAD-BALANCER", "NODE-PORT", "HEALTH-CHECK-NODE-PORT", "IPVS-IPS"};
    if (!name.starts_with("KUBE-"))
        return false;
    name.remove_prefix(name.starts_with(of_ipv6) ? of_ipv6.size() : 5);
    return std::any_of(begins.begin(), begins.end(), [&](std::string_view begin) {
        return name == begin || (name.starts_with(begin) && name[begin.size()] == '-');
    });
}

KubeProxyRemains read_kube_proxy_remains() {
    KubeProxyRemains remains;
    std::vector<nft::ListedChain> base;
    std::set<std::string> tables;
    for (const int family : {NFPROTO_IPV4, NFPROTO_IPV6})
        nft::visit_dump(
            nft::dump_request(NFT_MSG_GETCHAIN, family),
            [&](nlmsghdr* header) {
                const auto listed = nft::parse_chain(header);
                if (!listed)
                    return;
                if (listed->chain.table == table_of_kube_proxy)
                    tables.insert(listed->chain.family);
                else if (is_chain_of_kube_proxy(listed->chain.name))
                    remains.chains.push_back(listed->chain);
                else if (listed->is_base)
                    base.push_back(*listed);
            },
            most_chains);
    remains.tables.assign(tables.begin(), tables.end());
    for (const NamedChain& chain : base_chains_beside(base, remains.chains)) {
        const Message rules = nft::dump_request(NFT_MSG_GETRULE, nft::family_number(chain.family));
        nft::put_text(rules, NFTA_RULE_TABLE, chain.table);
        nft::put_text(rules, NFTA_RULE_CHAIN, chain.name);
        nft::visit_dump(rules, [&](nlmsghdr* header) {
            if (auto jump = nft::parse_jump(header))
                remains.jumps.push_back(std::move(*jump));
        });
    }
    remains.sets = read_sets();
    return remains;
}

std::vector<std::string> remove_kube_proxy_remains(const KubeProxyRemains& remains) {
    std::vector<std::string> refused;
    remove_all(remains.jumps, "rules that jump to chains of kube-proxy", deletion_of_rule, refused);
    remove_all(remains.chains, "rules of chains of kube-proxy", deletion_of_rules, refused);
    remove_all(remains.chains, "chains of kube-proxy", deletion_of_chain, refused);
    remove_all(remains.tables, "table kube-proxy", deletion_of_table, refused);
    destroy_sets(remains.sets, refused);
    return refused;
}

namespace nft {

std::optional<ListedChain> parse_chain(nlmsghdr* header) {
    const auto body = body_of<nfgenmsg>(header);
    const auto attributes = attributes_of<nfgenmsg, NFTA_CHAIN_MAX>(header);
    if (!body || !attributes || (*attributes)[NFTA_CHAIN_TABLE] == nullptr || (*attributes)[NFTA_CHAIN_NAME] == nullptr)
        return std::nullopt;
    ListedChain listed;
    listed.chain = {family_name(body->nfgen_family), std::string(text_of((*attributes)[NFTA_CHAIN_TABLE])),
                    std::string(text_of((*attributes)[NFTA_CHAIN_NAME]))};
    listed.is_base = (*attributes)[NFTA_CHAIN_HOOK] != nullptr;
    return listed;
}

std::optional<JumpRule> parse_jump(nlmsghdr* header) {
    const auto body = body_of<nfgenmsg>(header);
    const auto attributes = attributes_of<nfgenmsg, NFTA_RULE_MAX>(header);
    if (!body || !attributes)
        return std::nullopt;
    const auto& found = *attributes;
    const auto handle = value_of<std::uint64_t>(found[NFTA_RULE_HANDLE]);
    if (found[NFTA_RULE_TABLE] == nullptr || found[NFTA_RULE_CHAIN] == nullptr || !handle ||
        found[NFTA_RULE_EXPRESSIONS] == nullptr)
        return std::nullopt;
    nlattr* item = nullptr;
    int left = 0;
    bool leads_there = false;
    nla_for_each_nested(item, found[NFTA_RULE_EXPRESSIONS], left) {
        nlattr* parts[NFTA_EXPR_MAX + 1] = {};
        if (nla_parse_nested(parts, NFTA_EXPR_MAX, item, nullptr) < 0 || parts[NFTA_EXPR_DATA] == nullptr ||
            text_of(parts[NFTA_EXPR_NAME]) != "immediate")
            continue;
        const auto decision = decision_of(parts[NFTA_EXPR_DATA]);
        leads_there = leads_there || (decision && is_chain_of_kube_proxy(decision->chain));
    }
    if (!leads_there)
        return std::nullopt;
    return JumpRule{{family_name(body->nfgen_family), std::string(text_of(found[NFTA_RULE_TABLE])),
                     std::string(text_of(found[NFTA_RULE_CHAIN]))},
                    be64toh(*handle)};
}

std::string parse_set_name(nlmsghdr* header) {
    const auto attributes = attributes_of<nfgenmsg, IPSET_ATTR_CMD_MAX>(header);
    return attributes ? std::string(text_of((*attributes)[IPSET_ATTR_SETNAME])) : "";
}

}  // namespace nft
}  // namespace netlink
