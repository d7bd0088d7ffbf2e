#include "netlink/ruleset.hpp"

#include <cstdint>
#include <cstdio>

#include "netlink/set_messages.hpp"

namespace netlink {
namespace {

struct Rule {
    const char* chain;
    std::string text;
    std::string comment;
};

struct Family {
    const char* ip;      // "ip", "ip6"
    const char* suffix;  // of set names
    const char* type;    // of nftables
};
constexpr Family families[] = {{"ip", "4", "ipv4_addr"}, {"ip6", "6", "ipv6_addr"}};

struct Chain {
    const char* name;
    const char* hook;  // empty: an ordinary chain
};

// -110 is just before NAT (-100), and before IPVS takes a packet.
constexpr Chain chains[] = {
    {"refuse", ""},
    {"prerouting", "{ type filter hook prerouting priority -110; policy accept; }"},
    {"output", "{ type filter hook output priority -110; policy accept; }"},
    {"postrouting", "{ type nat hook postrouting priority 100; policy accept; }"},
};

std::string set_type(const Element& shape) {
    std::string address = shape.address.is_v6() ? "ipv6_addr" : "ipv4_addr";
    switch (shape.set) {
        case Set::virtual_address:
        case Set::node_address:
            return address;
        case Set::hairpin:
            return address + " . " + address;
        case Set::node_port:
            return "inet_proto . inet_service";
        default:
            return address + " . inet_proto . inet_service";
    }
}

void add_refusals(const Family& family, std::vector<Rule>& rules) {
    // Connections that are under way go on after their port was removed; a new one never reaches the host's daemon.
    const std::string match = std::string(family.ip) + " daddr @virtual_address" + family.suffix +
                              " meta l4proto { tcp, udp, sctp } ct state { new, invalid, untracked } " + family.ip +
                              " daddr . meta l4proto . th dport != @served" + family.suffix + " counter goto refuse";
    for (const char* chain : {"prerouting", "output"})
        rules.push_back({chain, match, "unknown port of a virtual address"});
}

/// "ip saddr != { 10.1.0.0/16 } fib saddr type != local ", by family; empty when no pod network is known.
std::string outsiders(const Family& family, const RulesetParameters& parameters) {
    std::string networks;
    for (const std::string& network : parameters.pod_networks)
        if ((network.find(':') != std::string::npos) == (std::string(family.ip) == "ip6"))
            networks += (networks.empty() ? "" : ", ") + network;
    return networks.empty() ? "" : std::string(family.ip) + " saddr != { " + networks + " } fib saddr type != local ";
}

/// IPVS has rewritten the destination when a packet comes here; connection tracking still knows the original one. nft
/// knows the type of its port only after the protocol has been matched, so each protocol has its rule.
void add_masquerades(const Family& family, const RulesetParameters& parameters, std::vector<Rule>& rules) {
    const std::string ip = family.ip;
    const auto masquerade = [&](const std::string& match, const char* why) {
        rules.push_back({"postrouting", match + " counter masquerade fully-random", why});
    };
    masquerade(ip + " saddr . " + ip + " daddr @hairpin" + family.suffix, "a pod that reaches itself");
    const std::string clients = parameters.masquerade_all ? "" : outsiders(family, parameters);
    for (const std::string protocol : {"tcp", "udp", "sctp"}) {
        const std::string is = "meta l4proto " + protocol + " ";
        const std::string port = "meta l4proto . ct original proto-dst ";
        const std::string front = "ct original " + ip + " daddr . " + port;
        masquerade(is + front + "@masquerade" + family.suffix, "external IP");
        masquerade(is + "ct original " + ip + " daddr @node_address" + family.suffix + " " + port + "@node_port",
                   "node port");
        if (parameters.masquerade_all)
            masquerade(is + front + "@cluster" + family.suffix, "masquerade_all");
        else if (!clients.empty())
            masquerade(is + clients + front + "@cluster" + family.suffix,
                       "client of a ClusterIP that is neither a pod nor this node");
    }
}

/// FNV-1a, as eight hexadecimal digits.
std::string hash_of(const std::string& text) {
    std::uint32_t hash = 2166136261U;
    for (const char c : text)
        hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
    char digits[9];
    std::snprintf(digits, sizeof(digits), "%08x", hash);
    return digits;
}

}  // namespace

Ruleset make_ruleset(const RulesetParameters& parameters) {
    std::vector<Rule> rules = {
        {"refuse", "meta l4proto tcp reject with tcp reset", "refused at once"},
        {"refuse", "reject with icmpx type port-unreachable", "refused at once"},
    };
    for (const Family& family : families)
        add_refusals(family, rules);
    for (const Family& family : families)
        add_masquerades(family, parameters, rules);

    const std::string table = std::string("inet ") + nft::table_name + " ";
    Ruleset ruleset;
    ruleset.rules = rules.size();
    ruleset.text = "add table " + table + "\n";
    for (const auto& [name, shape] : nft::all_sets())
        ruleset.text += "add set " + table + name + " { type " + set_type(shape) + "; }\n";
    for (const Chain& chain : chains)
        ruleset.text += "add chain " + table + chain.name + " " + chain.hook + "\n";
    for (const Chain& chain : chains)
        ruleset.text += "flush chain " + table + chain.name + "\n";
    std::string body;
    for (const Rule& rule : rules)
        body += rule.chain + rule.text + rule.comment;
    ruleset.version = hash_of(ruleset.text + body);
    for (const Rule& rule : rules)
        ruleset.text += "add rule " + table + rule.chain + " " + rule.text + " comment \"" + ruleset.version + ": " +
                        rule.comment + "\"\n";
    return ruleset;
}

}  // namespace netlink
