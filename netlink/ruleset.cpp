#include "netlink/ruleset.hpp"

#include <cstdio>
#include <type_traits>
#include <utility>

#include "netlink/input_passage.hpp"
#include "netlink/objects.hpp"
#include "netlink/rule_clients.hpp"

namespace netlink {
namespace {

using namespace nft;
using Statements = std::vector<Statement>;

// -110 is just before NAT (-101 is ours, -100 that of others), and before IPVS gets a packet at "output" (-99); at
// "input" it does at 98 and 99. What a mark decides on the way out is decided anew after a chain of type route. On the
// way in it decides after "prerouting": it is put on last, after others have looked for the way back to the client
// (`fib saddr . mark . iif oif`, as firewalld does at 10), which with our mark leads to this host.
const std::vector<Chain>& all_chains() {
    static const std::vector<Chain> chains = {
        {"refuse"},
        {"sources4"},
        {"sources6"},
        {"internal_marks4"},
        {"internal_marks6"},
        {"outside_marks4"},
        {"outside_marks6"},
        {"external4"},
        {"external6"},
        {"prerouting4"},
        {"prerouting6"},
        {"output4"},
        {"output6"},
        {"external_output4"},
        {"external_output6"},
        {"new_output4"},
        {"new_output6"},
        {"masquerade4"},
        {"masquerade6"},
        {"masquerade_node_port"},
        {"masquerade_tcp4"},
        {"masquerade_tcp6"},
        {"masquerade_udp4"},
        {"masquerade_udp6"},
        {"masquerade_sctp4"},
        {"masquerade_sctp6"},
        {"taken_by_ipvs", "filter", "output", -310},
        {"prerouting", "filter", "prerouting", -110},
        {"capture", "filter", "prerouting", 100},
        {"input", "filter", "input", 97},
        {"output", "route", "output", -110},
        {"notes"},  // no packet comes here
        {"claim"},
        {"out_of_place"},
        {"early"},
        {"claim_in", "nat", "prerouting", -101},
        {"claim_out", "nat", "output", -101},
        {"postrouting", "nat", "postrouting", 100},
    };
    return chains;
}

const std::vector<std::string> protocols = {"tcp", "udp", "sctp"};

/// The part of a chain, or the set, that is for packets of one family: "prerouting4". So no packet meets rules of the
/// other one.
std::string part_of(const std::string& name, const IpFamily& family) {
    return name + family.suffix;
}

/// What a packet carries of a front end, as sets have it.
Key front_end(const IpFamily& family) {
    return {daddr(family), l4proto(), dport()};
}

Key port_on_node() {
    return {l4proto(), dport()};
}

void append(Statements& all, Statement part) {
    all.push_back(std::move(part));
}
void append(Statements& all, const Statements& parts) {
    all.insert(all.end(), parts.begin(), parts.end());
}

/// Makes a rule of statements and lists of them.
template <class... Parts>
Rule rule(std::string chain, std::string comment, Parts... parts) {
    Rule made{std::move(chain), {}, std::move(comment)};
    (append(made.statements, std::move(parts)), ...);
    return made;
}

void add_refusals(const IpFamily& family, std::vector<Rule>& rules) {
    // Connections that are under way go on after their port was removed; a new one never reaches the host's daemon.
    const Statements unknown = {is_in({daddr(family)}, part_of("virtual_address", family)),
                                protocol_is_one_of(protocols),
                                state_is_one_of({State::new_, State::invalid, State::untracked}),
                                is_not_in(front_end(family), part_of("served", family)),
                                counted(),
                                go_to("refuse")};
    const Statements nobody = {is_in(front_end(family), part_of("refused", family)), state_is({State::new_}), counted(),
                               go_to("refuse")};
    for (const char* chain : {"prerouting", "new_output"}) {
        rules.push_back(rule(part_of(chain, family), "unknown port of a virtual address", unknown));
        rules.push_back(rule(part_of(chain, family), "no endpoint anywhere", nobody));
    }
}

/// A new connection to an address of a service range that no Service has: kube-proxy's cluster-ips-check. It would
/// leave for the next router. What the host itself has in the range stays reachable.
void add_unallocated(const IpFamily& family, const char* chain, const RulesetParameters& parameters,
                     std::vector<Rule>& rules) {
    const auto networks = of_family(family, parameters.service_networks);
    if (networks.empty())
        return;
    rules.push_back(rule(part_of(chain, family), "no Service has this address", is_in_networks(daddr(family), networks),
                         state_is({State::new_}), is_not_in({daddr(family)}, part_of("virtual_address", family)),
                         is_not_in({daddr(family)}, part_of("external_address", family)), destination_is_not_local(),
                         counted(), drop()));
}

/// The packet goes to this host although the address is not its own: so IPVS gets it, and nothing else of the address
/// changes, as with a local route (which would also make this host answer ARP for it). This host's own packets find
/// IPVS anyway, but those that come back to it, to an endpoint that is the host itself, need the way to be local. For
/// ICMP errors that belong to a connection too, or a path's smaller MTU would never be learnt. Everything that follows
/// is decided for the first packet of a connection, or for one that belongs to none.
void add_captures(const IpFamily& family, const RulesetParameters& parameters, std::vector<Rule>& rules) {
    const Statements mark = {counted(), change_mark(~parameters.fwmark.mask, parameters.fwmark.value)};
    const std::string external = part_of("external", family);
    const Statement address = is_in({daddr(family)}, part_of("external_address", family));
    const char* what = "an external address";
    rules.push_back(rule(external, "to IPVS", is_in(front_end(family), part_of("external", family)), mark));
    rules.push_back(rule("capture", what, address, jump(external)));
    rules.push_back(rule("capture", "to IPVS", protocol_is(family.icmp), state_is({State::related}), address, mark));
    rules.push_back(rule(part_of("prerouting", family), "taken as it is",
                         is_in(front_end(family), part_of("cluster", family)), accept()));
    const std::string output = part_of("output", family);
    const std::string external_output = part_of("external_output", family);
    rules.push_back(rule(output, what, address, go_to(external_output)));
    add_unallocated(family, "output", parameters, rules);
    rules.push_back(
        rule(output, "neither to an address of ours nor to one of this host", does_not_leave_by_loopback(), accept()));
    rules.push_back(rule(external_output, what, jump(external)));
    for (const std::string& chain : {output, external_output}) {
        rules.push_back(rule(chain, "under way", state_is({State::established}), accept()));
        rules.push_back(rule(chain, "new", go_to(part_of("new_output", family))));
    }
}

/// Packets that begin connections, of those that no rule of ours refuses. A look-up more for each: only where a
/// firewall of the host could drop them in between.
void add_passage_to_cluster_ips(const IpFamily& family, bool arrives, std::vector<Rule>& rules) {
    rules.push_back(rule(arrives ? "input" : part_of("prerouting", family),
                         passage_comment(arrives, {false, family.bits == 128}),
                         is_in(front_end(family), part_of("cluster", family)), state_is({State::new_}), counted()));
}

void add_passage_from_outside(const IpFamily& family, bool arrives, std::vector<Rule>& rules) {
    const std::string chain = arrives ? "input" : part_of("prerouting", family);
    const std::string comment = passage_comment(arrives, {true, family.bits == 128});
    rules.push_back(rule(chain, comment, is_in(front_end(family), part_of("external", family)), state_is({State::new_}),
                         counted()));
    for (const char* ports : {"node_port", "node_port_local"})
        rules.push_back(rule(chain, comment, is_in({daddr(family)}, part_of("node_address", family)),
                             is_in(port_on_node(), ports), state_is({State::new_}), counted()));
}

void add_arrivals(std::vector<Rule>& rules) {
    for (const IpFamily& family : ip_families) {
        add_passage_to_cluster_ips(family, true, rules);
        add_passage_from_outside(family, true, rules);
    }
}

/// loadBalancerSourceRanges, for whoever the client is: a look-up for each length of a prefix. One set of intervals
/// would do with one, but the kernel copies such a set for each change, and reads all of it for each look-up
/// (net/netfilter/nft_set_pipapo.c): both grow with the number of Services (docs/performance.md).
void add_source_ranges(const IpFamily& family, std::vector<Rule>& rules) {
    const std::string sources = part_of("sources", family);
    const char* why = "not from loadBalancerSourceRanges";
    for (const char* chain : {"prerouting", "new_output"})
        rules.push_back(rule(part_of(chain, family), why, is_in(front_end(family), part_of("firewalled", family)),
                             state_is({State::new_}), jump(sources)));
    for (int length = family.bits; length > 0; length -= source_length_step) {
        Key key = front_end(family);
        key.push_back(network_of(saddr(family), length));
        rules.push_back(rule(sources, "from loadBalancerSourceRanges",
                             is_in(key, part_of("allowed", family) + "_" + std::to_string(length)), back()));
    }
    rules.push_back(rule(sources, why, counted(), drop()));
}

/// Which of our virtual servers with marks has the connection. IPVS looks at the mark as a whole, when it first sees a
/// connection: it is set as the last thing before, and taken off as the first thing after.
void add_marks(const RulesetParameters& parameters, std::vector<Rule>& rules) {
    const char* why = "which endpoints";
    for (const IpFamily& family : ip_families) {
        const std::string internal = part_of("internal_marks", family);
        for (const std::string side : {"internal", "outside"}) {
            const std::string chain = part_of(side + "_marks", family);
            rules.push_back(rule(chain, why, look_up_mark(front_end(family), part_of(side + "_mark", family))));
            rules.push_back(rule(chain, why, is_in({daddr(family)}, part_of("node_address", family)),
                                 look_up_mark(port_on_node(), side + "_node_port_mark")));
        }
        if (knows_pods(family, parameters))
            rules.push_back(rule("input", why, is_of(family), from_pods(family, parameters), go_to(internal)));
        rules.push_back(rule("input", why, is_of(family), source_is_local(), go_to(internal)));
        rules.push_back(rule("input", why, is_of(family), go_to(part_of("outside_marks", family))));
        rules.push_back(rule(part_of("new_output", family), why, state_is({State::new_}), go_to(internal)));
    }
}

void add_drops(const IpFamily& family, const RulesetParameters& parameters, std::vector<Rule>& rules) {
    for (const char* chain : {"prerouting", "new_output"})
        rules.push_back(rule(part_of(chain, family), "no endpoint on this node",
                             is_in(front_end(family), part_of("dropped", family)), state_is({State::new_}), counted(),
                             drop()));
    const char* why = "no endpoint on this node for clients from outside";
    const std::string prerouting = part_of("prerouting", family);
    rules.push_back(rule(prerouting, why, is_in(front_end(family), part_of("dropped_outside", family)),
                         state_is({State::new_}), from_outsiders(family, parameters), counted(), drop()));
    rules.push_back(rule(prerouting, why, is_in({daddr(family)}, part_of("node_address", family)),
                         is_in(port_on_node(), "node_port_dropped"), state_is({State::new_}),
                         from_outsiders(family, parameters), counted(), drop()));
}

/// IPVS has rewritten the destination when a packet comes here; connection tracking still knows the original one. The
/// kernel does so only for protocols with ports, so each of them has its rules.
void add_masquerades(const IpFamily& family, const std::string& protocol, const RulesetParameters& parameters,
                     std::vector<Rule>& rules) {
    const auto add = [&](const char* why, const Statements& match) {
        rules.push_back(rule(part_of("masquerade_" + protocol, family), why, protocol_is(protocol), match, counted(),
                             masquerade_at_random()));
    };
    const auto front_end_is_in = [&](const char* set) {
        return is_in({original_daddr(family), l4proto(), original_dport()}, part_of(set, family));
    };
    add("external address", {front_end_is_in("masquerade")});
    add("this host to an external address", {front_end_is_in("external_local"), source_is_local()});
    if (parameters.masquerade_all) {
        add("masquerade_all", {front_end_is_in("cluster")});
    } else if (knows_pods(family, parameters)) {
        Statements match = from_outsiders(family, parameters);
        match.push_back(front_end_is_in("cluster"));
        add("client of a ClusterIP that is neither a pod nor this node", match);
    }
}

void add_masquerades(const IpFamily& family, const RulesetParameters& parameters, std::vector<Rule>& rules) {
    const std::string chain = part_of("masquerade", family);
    rules.push_back(rule(chain, "a pod that reaches itself",
                         is_in({saddr(family), daddr(family)}, part_of("hairpin", family)), counted(),
                         masquerade_at_random()));
    if (knows_pods(family, parameters) && !parameters.masquerade_all)
        rules.push_back(rule(chain, "any other pod to a ClusterIP", from_pods(family, parameters),
                             is_in({original_daddr(family)}, part_of("virtual_address", family)), accept()));
    rules.push_back(rule(chain, "an address of this node",
                         is_in({original_daddr(family)}, part_of("node_address", family)),
                         jump("masquerade_node_port")));
    std::vector<ProtocolChain> chains_of_protocols;
    for (const std::string& protocol : protocols) {
        chains_of_protocols.push_back({protocol, part_of("masquerade_" + protocol, family)});
        add_masquerades(family, protocol, parameters, rules);
    }
    rules.push_back(rule(chain, "by protocol", go_by_protocol(chains_of_protocols)));
}

void add_node_port_masquerades(std::vector<Rule>& rules) {
    const Key port = {l4proto(), original_dport()};
    const Statements masquerade = {counted(), masquerade_at_random()};
    for (const std::string& protocol : protocols) {
        rules.push_back(
            rule("masquerade_node_port", "node port", protocol_is(protocol), is_in(port, "node_port"), masquerade));
        rules.push_back(rule("masquerade_node_port", "this host to a node port", protocol_is(protocol),
                             is_in(port, "node_port_local"), source_is_local(), masquerade));
    }
}

/// Connections to our addresses stay with them: a network plugin's rule for a hostPort rewrites what comes to any local
/// address, and ClusterIPs are local. Connection tracking sets up a destination once for each connection, so that one
/// that stays as it is keeps chains of a later priority away (nf_nat_inet_fn in net/netfilter/nf_nat_core.c); an
/// `accept` does not.
void add_claims(std::vector<Rule>& rules) {
    for (const char* chain : {"claim_in", "claim_out"})
        rules.push_back(rule(chain, "not for rules of hostPorts", go_to("claim")));
    for (const IpFamily& family : ip_families)
        for (const char* set : {"served", "external"})
            rules.push_back(
                rule("claim", "as it is", is_in(front_end(family), part_of(set, family)), keep_destination(family)));
}

/// An answer outside of the window is not translated back: it comes with a pod's address to the address that this host
/// has masqueraded the client with, and would be answered with a reset that ends the pod's connection
/// (kubernetes/kubernetes#74839). Both ends are here or pass here, so none is out of place by an asymmetric route.
void add_drop_of_what_is_out_of_place(const RulesetParameters& parameters, std::vector<Rule>& rules) {
    const auto drop_of = [&](const Statement& pods) {
        rules.push_back(rule("out_of_place", "a pod's segment that is outside of the window", pods, protocol_is("tcp"),
                             state_is({State::invalid}), counted(), drop()));
    };
    const auto& all = parameters.all_pod_networks.empty() ? parameters.pod_networks : parameters.all_pod_networks;
    for (const IpFamily& family : ip_families)
        if (const auto networks = of_family(family, all); !networks.empty())
            drop_of(is_in_networks(saddr(family), networks));
    if (!parameters.pod_interface.empty())
        drop_of(came_by(parameters.pod_interface));
    rules.push_back(rule("input", "under way", state_is({State::established, State::related}), accept()));
    rules.push_back(rule("input", "of no connection", state_is_not(State::new_), go_to("out_of_place")));
}

/// A client whose first segment came before its front end sends it again until somebody answers. Connection tracking
/// has decided on it by then: IPVS would carry it with its own address, and its answer could not be placed
/// (proxy/sync/stale_flows). So it waits until its entry is removed. An entry that IPVS has had its part in has the pod
/// where the front end was.
void add_early_clients(std::vector<Rule>& rules) {
    const char* again = "sent again before there was an answer";
    rules.push_back(rule("input", again, is_confirmed(), jump("early")));
    for (const IpFamily& family : ip_families) {
        rules.push_back(rule(part_of("new_output", family), again, is_confirmed(), jump("early")));
        for (const char* protocol : {"tcp", "sctp"})
            rules.push_back(rule("early", "a client that came before its front end", protocol_is(protocol),
                                 is_in({reply_saddr(family), l4proto(), reply_sport()}, part_of("served", family)),
                                 counted(), drop()));
    }
}

/// These rules come before everything else. Comparisons are quicker than a verdict map of two, and most packets are of
/// IPv4.
void add_dispatch(std::vector<Rule>& rules) {
    rules.push_back(rule("prerouting", "under way", state_is({State::established}), accept()));
    rules.push_back(rule("capture", "an answer", state_is({State::established}), is_reply(), accept()));
    for (const auto& [chain, part] :
         {std::pair("prerouting", "prerouting"), {"output", "output"}, {"postrouting", "masquerade"}})
        for (const IpFamily& family : ip_families)
            rules.push_back(rule(chain, "by family", is_of(family), go_to(part_of(part, family))));
}

}  // namespace

Ruleset make_ruleset(const RulesetParameters& parameters) {
    std::vector<Rule> rules = {
        rule("refuse", "refused at once", protocol_is("tcp"), reset_tcp()),
        rule("refuse", "refused at once", refuse_port()),
    };
    const Fwmark& fwmark = parameters.fwmark;
    add_drop_of_what_is_out_of_place(parameters, rules);
    if (parameters.count_passage)
        add_arrivals(rules);
    for (const char* chain : {"input", "taken_by_ipvs"})
        rules.push_back(rule(chain, "taken off", mark_is(fwmark.value, fwmark.mask), change_mark(~fwmark.mask, 0)));
    add_dispatch(rules);
    add_claims(rules);
    for (const IpFamily& family : ip_families) {
        if (parameters.count_passage)
            add_passage_to_cluster_ips(family, false, rules);
        add_captures(family, parameters, rules);
        add_source_ranges(family, rules);
        add_refusals(family, rules);
        add_drops(family, parameters, rules);
        add_unallocated(family, "prerouting", parameters, rules);
        if (parameters.count_passage)
            add_passage_from_outside(family, false, rules);
    }
    add_early_clients(rules);
    add_marks(parameters, rules);
    for (const IpFamily& family : ip_families)
        add_masquerades(family, parameters, rules);
    add_node_port_masquerades(rules);
    for (const std::string& note : parameters.notes)
        rules.push_back(rule("notes", note_prefix + note, back()));

    Ruleset ruleset{all_chains(), std::move(rules), ""};
    ruleset.version = version_of(ruleset);
    for (Rule& each : ruleset.rules)
        each.comment = ruleset.version + ": " + each.comment;
    return ruleset;
}

}  // namespace netlink
