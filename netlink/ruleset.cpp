#include "netlink/ruleset.hpp"

#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <cstdint>
#include <cstdio>

#include "netlink/set_messages.hpp"

namespace netlink {
namespace {

struct Rule {
    std::string chain;
    std::string text;
    std::string comment;
};

struct Family {
    const char* ip;      // "ip", "ip6"
    const char* suffix;  // of sets and chains
    const char* name;    // as `meta nfproto` has it
    const char* icmp;    // as `meta l4proto` has it
    int bits;            // of an address
};
constexpr Family families[] = {{"ip", "4", "ipv4", "icmp", 32}, {"ip6", "6", "ipv6", "icmpv6", 128}};

struct Chain {
    const char* name;
    const char* hook;  // empty: an ordinary chain
};

// -110 is just before NAT (-101 is ours, -100 that of others), and before IPVS takes a packet at "output" (-99); at
// "input" it does at 98 and 99. What a mark decides on the way out is decided anew after a chain of type route.
constexpr Chain chains[] = {
    {"refuse", ""},
    {"sources4", ""},
    {"sources6", ""},
    {"internal_marks4", ""},
    {"internal_marks6", ""},
    {"outside_marks4", ""},
    {"outside_marks6", ""},
    {"external4", ""},
    {"external6", ""},
    {"prerouting4", ""},
    {"prerouting6", ""},
    {"output4", ""},
    {"output6", ""},
    {"external_output4", ""},
    {"external_output6", ""},
    {"new_output4", ""},
    {"new_output6", ""},
    {"under_way", ""},
    {"masquerade4", ""},
    {"masquerade6", ""},
    {"masquerade_node_port", ""},
    {"masquerade_tcp4", ""},
    {"masquerade_tcp6", ""},
    {"masquerade_udp4", ""},
    {"masquerade_udp6", ""},
    {"masquerade_sctp4", ""},
    {"masquerade_sctp6", ""},
    {"taken_by_ipvs", "{ type filter hook output priority -310; policy accept; }"},
    {"prerouting", "{ type filter hook prerouting priority -110; policy accept; }"},
    {"input", "{ type filter hook input priority 97; policy accept; }"},
    {"output", "{ type route hook output priority -110; policy accept; }"},
    {"claim", ""},
    {"out_of_place", ""},
    {"early", ""},
    {"claim_in", "{ type nat hook prerouting priority -101; policy accept; }"},
    {"claim_out", "{ type nat hook output priority -101; policy accept; }"},
    {"postrouting", "{ type nat hook postrouting priority 100; policy accept; }"},
};

std::string hexadecimal(std::uint32_t number) {
    char digits[11];
    std::snprintf(digits, sizeof(digits), "0x%08x", number);
    return digits;
}

/// The part of a chain that is for packets of one family: "prerouting4". So no packet meets rules of the other one.
std::string part_of(const std::string& chain, const Family& family) {
    return chain + family.suffix;
}

/// What a packet carries of a front end, as sets have it.
std::string front_end(const Family& family) {
    return std::string(family.ip) + " daddr . meta l4proto . th dport ";
}

std::string set_type(const Element& shape) {
    const std::string address = shape.address.is_v6() ? "ipv6_addr" : "ipv4_addr";
    const std::string port = "inet_proto . inet_service";
    const std::string mark = is_map(shape.set) ? " : mark" : "";
    if (shape.set == Set::hairpin)
        return address + " . " + address;
    if (shape.set == Set::allowed)
        return address + " . " + port + " . " + address;
    if (shape.set == Set::mark)
        return "mark";
    if (!has_address(shape.set))
        return port + mark;
    return has_port(shape.set) ? address + " . " + port + mark : address;
}

void add_refusals(const Family& family, std::vector<Rule>& rules) {
    // Connections that are under way go on after their port was removed; a new one never reaches the host's daemon.
    const std::string match = std::string(family.ip) + " daddr @virtual_address" + family.suffix +
                              " meta l4proto { tcp, udp, sctp } ct state { new, invalid, untracked } " + family.ip +
                              " daddr . meta l4proto . th dport != @served" + family.suffix + " counter goto refuse";
    const std::string nobody = front_end(family) + "@refused" + family.suffix + " ct state new counter goto refuse";
    for (const char* chain : {"prerouting", "new_output"}) {
        rules.push_back({part_of(chain, family), match, "unknown port of a virtual address"});
        rules.push_back({part_of(chain, family), nobody, "no endpoint anywhere"});
    }
}

/// "10.1.0.0/16, 10.2.0.0/16": the networks of pods of the family.
std::string pod_networks(const Family& family, const RulesetParameters& parameters) {
    std::string networks;
    for (const std::string& network : parameters.pod_networks)
        if ((network.find(':') != std::string::npos) == (family.bits == 128))
            networks += (networks.empty() ? "" : ", ") + network;
    return networks;
}

/// Matches clients that are neither this host nor, as far as their networks are known, pods.
std::string outsiders(const Family& family, const RulesetParameters& parameters) {
    const std::string networks = pod_networks(family, parameters);
    return (networks.empty() ? "" : std::string(family.ip) + " saddr != { " + networks + " } ") +
           "fib saddr type != local ";
}

/// The packet goes to this host although the address is not its own: so IPVS gets it, and nothing else of the address
/// changes, as with a local route (which would also make this host answer ARP for it). This host's own packets find
/// IPVS anyway, but those that come back to it, to an endpoint that is the host itself, need the way to be local. For
/// ICMP errors that belong to a connection too, or a path's smaller MTU would never be learnt. Everything that follows
/// is decided for the first packet of a connection, or for one that belongs to none.
void add_captures(const Family& family, const RulesetParameters& parameters, std::vector<Rule>& rules) {
    const std::string mark = "counter meta mark set meta mark & " + hexadecimal(~parameters.fwmark.mask) + " | " +
                             hexadecimal(parameters.fwmark.value);
    const std::string external = part_of("external", family);
    const std::string address = std::string(family.ip) + " daddr @external_address" + family.suffix;
    const char* what = "an external address";
    rules.push_back({external, front_end(family) + "@external" + family.suffix + " " + mark, "to IPVS"});
    rules.push_back({"under_way", address + " jump " + external, what});
    const std::string prerouting = part_of("prerouting", family);
    rules.push_back({prerouting, front_end(family) + "@cluster" + family.suffix + " accept", "taken as it is"});
    rules.push_back({prerouting, address + " jump " + external, what});
    rules.push_back({prerouting,
                     std::string("meta l4proto ") + family.icmp + " ct state related " + address + " " + mark,
                     "to IPVS"});
    const std::string output = part_of("output", family);
    const std::string external_output = part_of("external_output", family);
    rules.push_back({output, address + " goto " + external_output, what});
    rules.push_back({output, "oif != lo accept", "neither to an address of ours nor to one of this host"});
    rules.push_back({external_output, "jump " + external, what});
    for (const std::string& chain : {output, external_output}) {
        rules.push_back({chain, "ct state established accept", "under way"});
        rules.push_back({chain, "goto " + part_of("new_output", family), "new"});
    }
}

/// "255.240.0.0": the first `length` bits are set.
std::string mask_of(const Family& family, int length) {
    const auto bits = static_cast<unsigned short>(length);
    if (family.bits == 32)
        return boost::asio::ip::network_v4({}, bits).netmask().to_string();
    boost::asio::ip::address_v6::bytes_type all;
    all.fill(0xff);
    return boost::asio::ip::network_v6(boost::asio::ip::address_v6(all), bits).network().to_string();
}

/// loadBalancerSourceRanges, for whoever the client is: a look-up for each length of a prefix. One set of intervals
/// would do with one, but the kernel copies such a set for each change, and reads all of it for each look-up
/// (net/netfilter/nft_set_pipapo.c): both grow with the number of Services (docs/performance.md).
void add_source_ranges(const Family& family, std::vector<Rule>& rules) {
    const std::string sources = std::string("sources") + family.suffix;
    const char* why = "not from loadBalancerSourceRanges";
    for (const char* chain : {"prerouting", "new_output"})
        rules.push_back({part_of(chain, family),
                         front_end(family) + "@firewalled" + family.suffix + " ct state new jump " + sources, why});
    for (int length = family.bits; length > 0; length -= source_length_step)
        rules.push_back({sources,
                         front_end(family) + ". " + family.ip + " saddr " +
                             (length < family.bits ? "& " + mask_of(family, length) + " " : "") + "@allowed" +
                             family.suffix + "_" + std::to_string(length) + " return",
                         "from loadBalancerSourceRanges"});
    rules.push_back({sources, "counter drop", why});
}

/// Which of our virtual servers with marks has the connection. IPVS looks at the mark as a whole, when it first sees a
/// connection: it is set as the last thing before, and taken off as the first thing after.
void add_marks(const RulesetParameters& parameters, std::vector<Rule>& rules) {
    const char* why = "which endpoints";
    for (const Family& family : families) {
        const std::string internal = part_of("internal_marks", family);
        for (const std::string side : {"internal", "outside"}) {
            const std::string chain = part_of(side + "_marks", family);
            rules.push_back(
                {chain, "meta mark set " + front_end(family) + "map @" + side + "_mark" + family.suffix, why});
            rules.push_back({chain,
                             std::string(family.ip) + " daddr @node_address" + family.suffix +
                                 " meta mark set meta l4proto . th dport map @" + side + "_node_port_mark",
                             why});
        }
        if (const std::string networks = pod_networks(family, parameters); !networks.empty())
            rules.push_back({"input", std::string(family.ip) + " saddr { " + networks + " } goto " + internal, why});
        const std::string is = std::string("meta nfproto ") + family.name + " ";
        rules.push_back({"input", is + "fib saddr type local goto " + internal, why});
        rules.push_back({"input", is + "goto " + part_of("outside_marks", family), why});
        rules.push_back({part_of("new_output", family), "ct state new goto " + internal, why});
    }
}

void add_drops(const Family& family, const RulesetParameters& parameters, std::vector<Rule>& rules) {
    for (const char* chain : {"prerouting", "new_output"})
        rules.push_back({part_of(chain, family),
                         front_end(family) + "@dropped" + family.suffix + " ct state new counter drop",
                         "no endpoint on this node"});
    const std::string drop = "ct state new " + outsiders(family, parameters) + "counter drop";
    const char* why = "no endpoint on this node for clients from outside";
    rules.push_back(
        {part_of("prerouting", family), front_end(family) + "@dropped_outside" + family.suffix + " " + drop, why});
    rules.push_back({part_of("prerouting", family),
                     std::string(family.ip) + " daddr @node_address" + family.suffix +
                         " meta l4proto . th dport @node_port_dropped " + drop,
                     why});
}

/// IPVS has rewritten the destination when a packet comes here; connection tracking still knows the original one. nft
/// knows the type of its port only after the protocol has been matched, so each protocol has its rules.
void add_masquerades(const Family& family, const std::string& protocol, const RulesetParameters& parameters,
                     std::vector<Rule>& rules) {
    const std::string ip = family.ip;
    const auto masquerade = [&](const std::string& match, const char* why) {
        rules.push_back({part_of("masquerade_" + protocol, family),
                         "meta l4proto " + protocol + " " + match + " counter masquerade fully-random", why});
    };
    const std::string host = " fib saddr type local";
    const std::string port = "meta l4proto . ct original proto-dst ";
    const std::string front = "ct original " + ip + " daddr . " + port;
    masquerade(front + "@masquerade" + family.suffix, "external address");
    masquerade(front + "@external_local" + family.suffix + host, "this host to an external address");
    if (parameters.masquerade_all)
        masquerade(front + "@cluster" + family.suffix, "masquerade_all");
    else if (!pod_networks(family, parameters).empty())
        masquerade(outsiders(family, parameters) + front + "@cluster" + family.suffix,
                   "client of a ClusterIP that is neither a pod nor this node");
}

void add_masquerades(const Family& family, const RulesetParameters& parameters, std::vector<Rule>& rules) {
    const std::string ip = family.ip;
    const std::string chain = part_of("masquerade", family);
    rules.push_back({chain,
                     ip + " saddr . " + ip + " daddr @hairpin" + family.suffix + " counter masquerade fully-random",
                     "a pod that reaches itself"});
    if (const std::string networks = pod_networks(family, parameters); !networks.empty() && !parameters.masquerade_all)
        rules.push_back({chain,
                         ip + " saddr { " + networks + " } ct original " + ip + " daddr @virtual_address" +
                             family.suffix + " accept",
                         "any other pod to a ClusterIP"});
    rules.push_back({chain, "ct original " + ip + " daddr @node_address" + family.suffix + " jump masquerade_node_port",
                     "an address of this node"});
    std::string verdicts;
    for (const std::string protocol : {"tcp", "udp", "sctp"}) {
        verdicts += (verdicts.empty() ? "" : ", ") + protocol + " : goto " + part_of("masquerade_" + protocol, family);
        add_masquerades(family, protocol, parameters, rules);
    }
    rules.push_back({chain, "meta l4proto vmap { " + verdicts + " }", "by protocol"});
}

void add_node_port_masquerades(std::vector<Rule>& rules) {
    for (const std::string protocol : {"tcp", "udp", "sctp"}) {
        const std::string port = "meta l4proto " + protocol + " meta l4proto . ct original proto-dst ";
        const std::string masquerade = " counter masquerade fully-random";
        rules.push_back({"masquerade_node_port", port + "@node_port" + masquerade, "node port"});
        rules.push_back({"masquerade_node_port", port + "@node_port_local fib saddr type local" + masquerade,
                         "this host to a node port"});
    }
}

/// Connections to our addresses stay with them: a network plugin's rule for a hostPort rewrites what comes to any local
/// address, and ClusterIPs are local. Connection tracking sets up a destination once for each connection, so that one
/// that stays as it is keeps chains of a later priority away (nf_nat_inet_fn in net/netfilter/nf_nat_core.c); an
/// `accept` does not.
void add_claims(std::vector<Rule>& rules) {
    for (const char* chain : {"claim_in", "claim_out"})
        rules.push_back({chain, "goto claim", "not for rules of hostPorts"});
    for (const Family& family : families)
        for (const char* set : {"@served", "@external"})
            rules.push_back(
                {"claim",
                 front_end(family) + set + family.suffix + " dnat " + family.ip + " to " + family.ip + " daddr",
                 "as it is"});
}

/// An answer outside of the window is not translated back: it comes with a pod's address to the address that this host
/// has masqueraded the client with, and would be answered with a reset that ends the pod's connection
/// (kubernetes/kubernetes#74839). Both ends are here or pass here, so none is out of place by an asymmetric route.
void add_drop_of_what_is_out_of_place(const RulesetParameters& parameters, std::vector<Rule>& rules) {
    for (const Family& family : families)
        if (const std::string networks = pod_networks(family, parameters); !networks.empty())
            rules.push_back(
                {"out_of_place",
                 std::string(family.ip) + " saddr { " + networks + " } meta l4proto tcp ct state invalid counter drop",
                 "a pod's segment that is outside of the window"});
    rules.push_back({"input", "ct state established,related accept", "under way"});
    rules.push_back({"input", "ct state != new goto out_of_place", "of no connection"});
}

/// A client whose first segment came before its front end sends it again until somebody answers. Connection tracking
/// has decided on it by then: IPVS would carry it with its own address, and its answer could not be placed
/// (proxy/stale_flows). So it waits until its entry is removed. An entry that IPVS has had its part in has the pod
/// where the front end was.
void add_early_clients(std::vector<Rule>& rules) {
    const char* again = "sent again before there was an answer";
    rules.push_back({"input", "ct status confirmed jump early", again});
    for (const Family& family : families) {
        rules.push_back({part_of("new_output", family), "ct status confirmed jump early", again});
        for (const std::string protocol : {"tcp", "sctp"})
            rules.push_back({"early",
                             "meta l4proto " + protocol + " ct reply " + family.ip +
                                 " saddr . meta l4proto . ct reply proto-src @served" + family.suffix + " counter drop",
                             "a client that came before its front end"});
    }
}

/// Before everything else. Comparisons are quicker than a verdict map of two, and most packets are of IPv4.
void add_dispatch(std::vector<Rule>& rules) {
    rules.push_back({"prerouting", "ct state established goto under_way", "under way"});
    rules.push_back({"under_way", "ct direction reply accept", "an answer"});
    for (const auto& [chain, part] :
         {std::pair("prerouting", "prerouting"), {"output", "output"}, {"postrouting", "masquerade"}})
        for (const Family& family : families)
            rules.push_back(
                {chain, std::string("meta nfproto ") + family.name + " goto " + part_of(part, family), "by family"});
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
    const std::string mask = hexadecimal(parameters.fwmark.mask);
    const std::string value = hexadecimal(parameters.fwmark.value);
    add_drop_of_what_is_out_of_place(parameters, rules);
    for (const char* chain : {"input", "taken_by_ipvs"})
        rules.push_back({chain,
                         "meta mark & " + mask + " == " + value + " meta mark set meta mark & " +
                             hexadecimal(~parameters.fwmark.mask),
                         "taken off"});
    add_dispatch(rules);
    add_claims(rules);
    for (const Family& family : families) {
        add_captures(family, parameters, rules);
        add_source_ranges(family, rules);
        add_refusals(family, rules);
        add_drops(family, parameters, rules);
    }
    add_early_clients(rules);
    add_marks(parameters, rules);
    for (const Family& family : families)
        add_masquerades(family, parameters, rules);
    add_node_port_masquerades(rules);

    const std::string table = std::string("inet ") + nft::table_name + " ";
    Ruleset ruleset;
    ruleset.rules = rules.size();
    ruleset.text = "add table " + table + "\n";
    for (const auto& [name, shape] : nft::all_sets())
        ruleset.text +=
            (is_map(shape.set) ? "add map " : "add set ") + table + name + " { type " + set_type(shape) + "; }\n";
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
