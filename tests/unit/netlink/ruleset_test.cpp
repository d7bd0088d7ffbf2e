#include "netlink/ruleset.hpp"

#include <catch2/catch.hpp>
#include <set>

#include "base/file.hpp"
#include "netlink/set_messages.hpp"

using netlink::make_ruleset;

namespace {

std::string text_of(const netlink::RulesetParameters& parameters) {
    return to_text(make_ruleset(parameters));
}

std::vector<base::Prefix> prefixes(const std::vector<const char*>& texts) {
    std::vector<base::Prefix> all;
    for (const char* text : texts)
        all.push_back(base::parse_prefix(text).value());
    return all;
}

std::string golden() {
    return base::read_file(RULESET).value();
}

std::string without_version(std::string text, const std::string& version) {
    for (std::size_t at = 0; (at = text.find(version, at)) != std::string::npos;)
        text.replace(at, version.size(), "VERSION");
    return text;
}

}  // namespace

// The whole table, to be read, and to be seen in a change. What it does to packets is the lab's to judge.
TEST_CASE("the table is the one that is written down") {
    netlink::RulesetParameters parameters;
    parameters.pod_networks = prefixes({"10.1.0.0/16", "10.2.0.0/16", "fd00:1::/64"});
    parameters.service_networks = prefixes({"10.96.0.0/16", "fd00:96::/112"});
    const auto ruleset = make_ruleset(parameters);
    INFO(
        "when it should be another: build/tests/lab/lab-table text --services 10.96.0.0/16 --services fd00:96::/112 "
        "10.1.0.0/16 "
        "10.2.0.0/16 fd00:1::/64 | "
        "sed 's/\"[0-9a-f]\\{8\\}: /\"VERSION: /' > tests/unit/netlink/ruleset.nft");
    std::istringstream made(without_version(to_text(ruleset), ruleset.version));
    std::istringstream wanted(golden());
    std::string line;
    std::string wanted_line;
    while (std::getline(wanted, wanted_line)) {
        std::getline(made, line);
        REQUIRE(line == wanted_line);
    }
    CHECK_FALSE(std::getline(made, line));
}

TEST_CASE("what rules look in and lead to is in the table") {
    const auto ruleset = make_ruleset({prefixes({"10.1.0.0/16", "fd00:1::/64"}), false});
    std::set<std::string> sets;
    for (const auto& [name, shape] : netlink::nft::all_sets())
        sets.insert(name);
    std::set<std::string> chains;
    for (const auto& chain : ruleset.chains)
        CHECK(chains.insert(chain.name).second);
    for (const auto& rule : ruleset.rules) {
        CAPTURE(rule.chain, text_of(rule));
        CHECK(chains.contains(rule.chain));
        for (const auto& expression : code_of(rule)) {
            if (const auto* lookup = std::get_if<netlink::nft::Lookup>(&expression); lookup && !lookup->set.empty())
                CHECK(sets.contains(lookup->set));
            if (const auto* verdict = std::get_if<netlink::nft::Verdict>(&expression); verdict)
                CHECK((verdict->chain.empty() || chains.contains(verdict->chain)));
        }
    }
}

TEST_CASE("the version changes with any rule, and only then") {
    const auto plain = make_ruleset({});
    CHECK(plain.version == make_ruleset({}).version);
    CHECK(plain.version != make_ruleset({prefixes({"10.1.0.0/16"}), false}).version);
    CHECK(plain.version != make_ruleset({{}, true}).version);
    CHECK(make_ruleset({prefixes({"10.1.0.0/16"}), false}).version !=
          make_ruleset({prefixes({"10.2.0.0/16"}), false}).version);
}

TEST_CASE("what pods send outside of a window is dropped by family, and only where pods are known") {
    CHECK(text_of({}).find("add rule inet podferry out_of_place") == std::string::npos);
    const auto v4 = text_of({prefixes({"10.1.0.0/16"}), false});
    CHECK(v4.find("out_of_place ip saddr { 10.1.0.0/16 } meta l4proto tcp ct state invalid counter drop") !=
          std::string::npos);
    CHECK(v4.find("out_of_place ip6") == std::string::npos);
}

// kube-proxy's detectLocalMode BridgeInterface and InterfaceNamePrefix; of both families at once.
TEST_CASE("pods are told by the interface that they come by") {
    netlink::RulesetParameters parameters;
    parameters.pod_networks = prefixes({"10.9.0.0/16"});  // whoever has its addresses: the interface counts
    parameters.pod_interface = GENERATE("cni0", "veth*");
    const std::string name = '"' + parameters.pod_interface + '"';
    const std::string text = text_of(parameters);
    for (const std::string& rule : std::vector<std::string>{
             "input meta nfproto ipv4 iifname " + name + " goto internal_marks4",
             "input meta nfproto ipv6 iifname " + name + " goto internal_marks6",
             "masquerade4 iifname " + name + " ct original ip daddr @virtual_address4 accept",
             "masquerade_udp6 meta l4proto udp iifname != " + name + " fib saddr type != local ct original",
             "prerouting4 ip daddr . meta l4proto . th dport @dropped_outside4 ct state new iifname != " + name,
             "out_of_place ip saddr { 10.9.0.0/16 } meta l4proto tcp",
             "out_of_place iifname " + name + " meta l4proto tcp"}) {
        CAPTURE(rule);
        CHECK(text.find("add rule inet podferry " + rule) != std::string::npos);
    }
    CHECK(text.find("!= { 10.9.0.0/16 }") == std::string::npos);
}

TEST_CASE("what pods of other nodes send outside of a window is dropped too") {
    netlink::RulesetParameters parameters;
    parameters.pod_networks = prefixes({"10.244.3.0/24"});
    parameters.all_pod_networks = prefixes({"10.244.0.0/16"});
    const std::string text = text_of(parameters);
    CHECK(text.find("out_of_place ip saddr { 10.244.0.0/16 }") != std::string::npos);
    CHECK(text.find("ip saddr != { 10.244.3.0/24 }") != std::string::npos);
}

TEST_CASE("the table keeps notes, which are found again in the comments of its rules") {
    netlink::RulesetParameters parameters;
    parameters.notes = {"pods 10.244.3.0/24", "services fd00:96::/112"};
    std::vector<std::string> found;
    for (const auto& rule : make_ruleset(parameters).rules)
        if (const auto note = netlink::note_of(rule.comment))
            found.push_back(*note);
    CHECK(found == parameters.notes);
    CHECK_FALSE(netlink::note_of(""));
    CHECK_FALSE(netlink::note_of("12345678"));
    CHECK_FALSE(netlink::note_of("12345678: under way"));
}

TEST_CASE("each rule carries the version") {
    const auto ruleset = make_ruleset({prefixes({"10.1.0.0/16", "fd00:1::/64"}), false});
    for (const auto& rule : ruleset.rules)
        CHECK(rule.comment.starts_with(ruleset.version + ": "));
}

TEST_CASE("addresses that no Service has are dropped by family, and only where ranges are known") {
    CHECK(text_of({}).find("no Service has this address") == std::string::npos);
    netlink::RulesetParameters parameters;
    parameters.service_networks = prefixes({"10.96.0.0/16"});
    const std::string text = text_of(parameters);
    for (const std::string chain : {"prerouting", "output"}) {
        CHECK(text.find("podferry " + chain +
                        "4 ip daddr { 10.96.0.0/16 } ct state new ip daddr != @virtual_address4") != std::string::npos);
        CHECK(text.find("podferry " + chain + "6 ip6 daddr {") == std::string::npos);
    }
}

// The host's packets to other hosts leave the chain there.
TEST_CASE("an address that no Service has is looked for before what goes to other hosts is let go") {
    netlink::RulesetParameters parameters;
    parameters.service_networks = prefixes({"10.96.0.0/16"});
    const std::string text = text_of(parameters);
    CHECK(text.find("output4 ip daddr { 10.96.0.0/16 }") < text.find("output4 oif != lo accept"));
}

TEST_CASE("clients of ClusterIPs are masqueraded by family, and only where pods are known") {
    const auto masquerades = [](const std::string& text, const std::string& set) {
        return text.find("ct original proto-dst " + set + " counter masquerade") != std::string::npos;
    };
    CHECK_FALSE(masquerades(text_of({}), "@cluster4"));
    const auto v4 = text_of({prefixes({"10.1.0.0/16"}), false});
    CHECK(v4.find("ip saddr != { 10.1.0.0/16 } fib saddr type != local") != std::string::npos);
    CHECK(masquerades(v4, "@cluster4"));
    CHECK_FALSE(masquerades(v4, "@cluster6"));
    CHECK(masquerades(text_of({{}, true}), "@cluster6"));
}

TEST_CASE("what passes the host's firewall is counted on both sides, and only where that is asked for") {
    CHECK(text_of({}).find("enters: ") == std::string::npos);
    const std::string text = text_of({.pod_networks = {}, .fwmark = {}, .count_passage = true});
    for (const char* rule :
         {"prerouting4 ip daddr . meta l4proto . th dport @cluster4 ct state new counter",
          "input ip daddr . meta l4proto . th dport @cluster4 ct state new counter",
          "prerouting6 ip6 daddr . meta l4proto . th dport @external6 ct state new counter",
          "input ip6 daddr @node_address6 meta l4proto . th dport @node_port ct state new counter"}) {
        CAPTURE(rule);
        CHECK(text.find(std::string("add rule inet podferry ") + rule) != std::string::npos);
    }
}
