#include "proxy/host/firewall_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/prefix.hpp"

namespace proxy {
namespace {

using netlink::DroppingChain;
using netlink::Lane;
using netlink::PassageCount;

constexpr std::uint64_t enough = 3;       // packets for a judgement: one may be on its way between the two counters
constexpr std::uint64_t one_of = 10;      // less than a tenth arrives: what is lost is no exception
constexpr std::size_t most_chains = 3;    // in one sentence
constexpr std::size_t longest_name = 64;  // somebody else has chosen it
constexpr std::string_view page = "docs/firewalls.md";

bool is_of(const DroppingChain& chain, bool ipv6) {
    return chain.family == "inet" || (chain.family == "ip6") == ipv6;
}

std::string short_name(const std::string& name) {
    return name.size() <= longest_name ? name : name.substr(0, longest_name) + "...";
}

std::string words(const DroppingChain& chain) {
    return fmt::format("table {} {}, chain {} (priority {}, {})", chain.family, short_name(chain.table),
                       short_name(chain.name), chain.priority,
                       chain.by_policy ? "policy drop" : "its last rule drops everything");
}

}  // namespace

/// Clients outside may be kept from node ports on purpose: once some have arrived, that is so.
void FirewallCheck::judge(bool outside, const PassageCount& now, Judgement& judgement) {
    if (now.entered < judgement.judged.entered || now.arrived < judgement.judged.arrived)
        judgement.judged = {};
    const std::uint64_t entered = now.entered - judgement.judged.entered;
    const std::uint64_t arrived = now.arrived - judgement.judged.arrived;
    if (entered == 0 || (arrived < entered && entered < enough))
        return;
    judgement.judged = now;
    if (outside)
        judgement.verdict = arrived > 0 || judgement.verdict == Verdict::open ? Verdict::open : Verdict::shut;
    else
        judgement.verdict = arrived * one_of < entered ? Verdict::shut : Verdict::open;
}

void FirewallCheck::look(netlink::HostFirewall found, const netlink::Passage& counts) {
    if (found != found_)
        for (auto& [lane, judgement] : lanes_)
            if (judgement.verdict == Verdict::open)
                judgement.verdict = Verdict::unknown;
    found_ = std::move(found);
    if (!wants_counts()) {
        lanes_.clear();
        return;
    }
    for (const auto& [lane, count] : counts)
        judge(lane.outside, count, lanes_[lane]);
}

bool FirewallCheck::blocks(bool ipv6) const {
    return std::any_of(lanes_.begin(), lanes_.end(), [&](const auto& lane) {
        return lane.first.ipv6 == ipv6 && lane.second.verdict == Verdict::shut;
    });
}

std::string FirewallCheck::remedy(const DroppingChain& chain, bool ipv6) const {
    const auto found = std::find_if(service_ranges_.begin(), service_ranges_.end(),
                                    [&](const base::Prefix& range) { return range.address.is_v6() == ipv6; });
    const std::string range = found == service_ranges_.end() ? "RANGE_OF_CLUSTERIPS" : to_string(*found);
    const char* ip = ipv6 ? "ip6" : "ip";
    if (chain.table == "filter" && chain.name == "INPUT" && chain.family != "inet")
        return fmt::format("{}tables -I INPUT -d {} -j ACCEPT", ip, range);
    if (chain.table == "firewalld")  // which makes its chains anew with each reload
        return fmt::format("firewall-cmd --add-rich-rule=\"rule family={} destination address={} accept\"",
                           ipv6 ? "ipv6" : "ipv4", range);
    return fmt::format("nft insert rule {} {} {} {} daddr {} accept", chain.family, short_name(chain.table),
                       short_name(chain.name), ip, range);
}

std::string FirewallCheck::culprits(bool ipv6) const {
    std::string text;
    std::size_t count = 0;
    const DroppingChain* first = nullptr;
    for (const DroppingChain& chain : found_.chains) {
        if (!is_of(chain, ipv6) || ++count > most_chains)
            continue;
        first = first == nullptr ? &chain : first;
        text += (text.empty() ? "" : "; ") + words(chain);
    }
    if (count > most_chains)
        text += fmt::format("; and {} more", count - most_chains);
    if (first == nullptr)
        return fmt::format("rules of the older iptables, which are in use here ('{}tables-legacy -S INPUT')",
                           ipv6 ? "ip6" : "ip");
    return text + fmt::format(". Let them in before it, for instance by '{}'", remedy(*first, ipv6));
}

std::string FirewallCheck::proven(const Lane& lane) const {
    return fmt::format(
        "new connections to {} ({}) come to this node and are dropped in hook input, before IPVS can get them: by {}; "
        "{} "
        "has all rules",
        lane.outside ? "external addresses and node ports" : "ClusterIPs", lane.ipv6 ? "IPv6" : "IPv4",
        culprits(lane.ipv6), page);
}

std::vector<std::string> FirewallCheck::problems() const {
    std::vector<std::string> found;
    for (const auto& [lane, judgement] : lanes_)
        if (judgement.verdict == Verdict::shut)
            found.push_back(proven(lane));
    const bool judged = std::any_of(lanes_.begin(), lanes_.end(),
                                    [](const auto& lane) { return lane.second.verdict != Verdict::unknown; });
    if (judged || found_.chains.empty())
        return found;
    const DroppingChain& first = found_.chains.front();
    found.push_back(fmt::format(
        "this host's firewall may keep connections to Services from IPVS: {}. podferry knows once some have "
        "come; {} has the rules that let them in",
        culprits(first.family == "ip6"), page));
    return found;
}

std::optional<std::string> FirewallCheck::exchange_news() {
    std::vector<std::string> now;
    for (const auto& [lane, judgement] : lanes_)
        if (judgement.verdict == Verdict::shut)
            now.push_back(proven(lane));
    const auto fresh = std::find_if(now.begin(), now.end(), [&](const std::string& text) {
        return std::find(told_.begin(), told_.end(), text) == told_.end();
    });
    const auto news = fresh == now.end() ? std::nullopt : std::optional(*fresh);
    told_ = std::move(now);
    return news;
}

}  // namespace proxy
