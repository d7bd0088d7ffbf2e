// What is said of a host's firewall, by what it has and what was counted on both sides of it.
#include "proxy/host/firewall_check.hpp"

#include <catch2/catch.hpp>

#include "base/prefix.hpp"

using namespace proxy;
using netlink::DroppingChain;
using netlink::HostFirewall;
using netlink::Lane;
using netlink::Passage;

namespace {

const DroppingChain by_policy{"inet", "hostfw", "input", 0, true};
const DroppingChain by_rule{"ip", "filter", "INPUT", 0, false};

constexpr Lane cluster4{false, false};
constexpr Lane cluster6{false, true};
constexpr Lane outside4{true, false};

FirewallCheck fresh() {
    return FirewallCheck({*base::parse_prefix("10.96.0.0/16"), *base::parse_prefix("fd00:96::/112")});
}

/// "": nothing; "may": a warning; "proven ClusterIPs (IPv4)": a proof.
std::string said(const FirewallCheck& check) {
    std::string text;
    for (const std::string& problem : check.problems()) {
        const std::string marker = "new connections to ";
        text += text.empty() ? "" : ", ";
        if (problem.starts_with(marker))
            text += "proven " + problem.substr(marker.size(), problem.find(" come") - marker.size());
        else
            text += "may";
    }
    return text;
}

}  // namespace

TEST_CASE("a firewall is accused of what was counted, and of nothing else") {
    struct Row {
        const char* what;
        HostFirewall found;
        std::vector<Passage> counts;  // at each look
        const char* said;
    };
    const HostFirewall dropping{{by_policy}, false};
    const HostFirewall legacy{{}, true};
    const Row rows[] = {
        {"no chain that drops", {}, {{{cluster4, {100, 0}}}}, ""},
        {"one that drops, and nothing has come", dropping, {{}}, "may"},
        {"all has arrived", dropping, {{{cluster4, {1, 1}}}}, ""},
        {"nothing has arrived", dropping, {{{cluster4, {3, 0}}}}, "proven ClusterIPs (IPv4)"},
        {"too little for a word", dropping, {{{cluster4, {2, 0}}}}, "may"},
        {"little twice", dropping, {{{cluster4, {2, 0}}}, {{cluster4, {4, 0}}}}, "proven ClusterIPs (IPv4)"},
        {"one on its way", dropping, {{{cluster4, {100, 100}}}, {{cluster4, {201, 200}}}}, ""},
        {"a few are dropped, for whatever reason", dropping, {{{cluster4, {100, 20}}}}, ""},
        {"most are", dropping, {{{cluster4, {100, 9}}}}, "proven ClusterIPs (IPv4)"},
        {"resolved", dropping, {{{cluster4, {9, 0}}}, {{cluster4, {10, 1}}}}, ""},
        {"resolved, and nothing has come since",
         dropping,
         {{{cluster4, {9, 0}}}, {{cluster4, {9, 0}}}},
         "proven ClusterIPs (IPv4)"},
        {"well, then bad", dropping, {{{cluster4, {9, 9}}}, {{cluster4, {19, 9}}}}, "proven ClusterIPs (IPv4)"},
        {"counters that began anew", dropping, {{{cluster4, {90, 90}}}, {{cluster4, {5, 5}}}}, ""},
        {"one family of two", dropping, {{{cluster4, {9, 9}}, {cluster6, {9, 0}}}}, "proven ClusterIPs (IPv6)"},
        {"nobody outside arrives", dropping, {{{outside4, {9, 0}}}}, "proven external addresses and node ports (IPv4)"},
        {"some outside are let in, on purpose", dropping, {{{outside4, {9, 1}}}, {{outside4, {99, 1}}}}, ""},
        {"older iptables, and nothing is known", legacy, {{}}, ""},
        {"older iptables", legacy, {{{cluster4, {9, 0}}}}, "proven ClusterIPs (IPv4)"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        FirewallCheck check = fresh();
        for (const Passage& counts : row.counts)
            check.look(row.found, counts);
        CHECK(said(check) == row.said);
        CHECK(check.wants_counts() == (row.found != HostFirewall{}));
        CHECK(check.blocks(false) == (std::string(row.said).find("(IPv4)") != std::string::npos));
    }
}

TEST_CASE("it is gone with the chain, and unknown again with another one") {
    FirewallCheck check = fresh();
    check.look({{by_policy}, false}, {{cluster4, {9, 9}}});
    check.look({{by_policy, by_rule}, false}, {{cluster4, {9, 9}}});
    CHECK(said(check) == "may");
    check.look({{by_policy, by_rule}, false}, {{cluster4, {19, 9}}});
    CHECK(check.blocks(false));
    check.look({}, {});
    CHECK(said(check) == "");
    CHECK_FALSE(check.blocks(false));
}

TEST_CASE("who drops is named, with a rule against it") {
    FirewallCheck check = fresh();
    check.look({{by_policy, by_rule}, false}, {{cluster4, {9, 0}}, {cluster6, {9, 0}}});
    const auto problems = check.problems();
    REQUIRE(problems.size() == 2);
    CHECK(
        problems[0] ==
        "new connections to ClusterIPs (IPv4) come to this node and are dropped in hook input, before IPVS can get "
        "them: by "
        "table inet hostfw, chain input (priority 0, policy drop); table ip filter, chain INPUT (priority 0, its last "
        "rule drops everything). Let them in before it, for instance by 'nft insert rule inet hostfw input ip daddr "
        "10.96.0.0/16 accept'; docs/firewalls.md has all rules");
    CHECK(problems[1].find("ip filter") == std::string::npos);
    CHECK_THAT(problems[1], Catch::Contains("'nft insert rule inet hostfw input ip6 daddr fd00:96::/112 accept'"));
    check.look({{by_rule}, false}, {{cluster4, {19, 0}}});
    CHECK_THAT(check.problems().front(), Catch::Contains("'iptables -I INPUT -d 10.96.0.0/16 -j ACCEPT'"));
    DroppingChain of_firewalld = by_policy;
    of_firewalld.table = "firewalld";
    check.look({{of_firewalld}, false}, {{cluster6, {29, 0}}});
    CHECK_THAT(
        check.problems().back(),
        Catch::Contains("firewall-cmd --add-rich-rule=\"rule family=ipv6 destination address=fd00:96::/112 accept\""));
    DroppingChain odd = by_policy;
    odd.name = std::string(255, 'x');
    check.look({std::vector<DroppingChain>(100, odd), false}, {{cluster4, {9, 0}}});
    CHECK(check.problems().front().size() < 1000);
}

TEST_CASE("what is proven is told once, until it is resolved") {
    FirewallCheck check = fresh();
    CHECK_FALSE(check.exchange_news());
    check.look({{by_policy}, false}, {{cluster4, {9, 0}}});
    CHECK(check.exchange_news());
    check.look({{by_policy}, false}, {{cluster4, {18, 0}}});
    CHECK_FALSE(check.exchange_news());
    check.look({{by_policy}, false}, {{cluster4, {28, 10}}});
    CHECK_FALSE(check.exchange_news());
    check.look({{by_policy}, false}, {{cluster4, {48, 10}}});
    CHECK(check.exchange_news());
}
