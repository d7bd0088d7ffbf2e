// Words of rules, and what the kernel is told of them.
#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <catch2/catch.hpp>

#include "netlink/nft_networks.hpp"
#include "netlink/nft_table.hpp"
#include "netlink/set_messages.hpp"

using namespace netlink;
using namespace netlink::nft;

namespace {

const IpFamily& v4 = ip_families[0];
const IpFamily& v6 = ip_families[1];

/// "10.1.0.0" or "-10.3.0.0" (an end), one behind the other.
std::string text(const std::vector<AnonymousSet::Entry>& entries) {
    std::string line;
    for (const auto& entry : entries)
        line += (line.empty() ? "" : " ") + std::string(entry.ends_interval ? "-" : "") + text_of_address(entry.key);
    return line;
}

std::vector<base::Prefix> prefixes(const std::vector<const char*>& texts) {
    std::vector<base::Prefix> all;
    for (const char* text : texts)
        all.push_back(base::parse_prefix(text).value());
    return all;
}

std::size_t questions_of_family(const std::vector<Statement>& statements) {
    std::size_t count = 0;
    for (const Expression& expression : code_of({"input", statements, ""}))
        if (const auto* load = std::get_if<LoadMeta>(&expression))
            count += load->key == NFT_META_NFPROTO ? 1 : 0;
    return count;
}

std::vector<std::uint32_t> registers(const Key& key) {
    std::vector<std::uint32_t> found;
    for (const Expression& expression : is_in(key, "served4").code)
        std::visit(
            [&](const auto& part) {
                if constexpr (requires { part.reg; })
                    found.push_back(part.reg);
            },
            expression);
    return found;
}

}  // namespace

TEST_CASE("networks become intervals in order that neither overlap nor touch") {
    struct Row {
        std::vector<const char*> networks;
        const char* intervals;
    };
    const Row row =
        GENERATE(Row{{"10.1.0.0/16"}, "-0.0.0.0 10.1.0.0 -10.2.0.0"},
                 Row{{"10.1.0.0/16", "10.2.0.0/16"}, "-0.0.0.0 10.1.0.0 -10.3.0.0"},
                 Row{{"10.4.0.0/16", "10.1.0.0/16"}, "-0.0.0.0 10.1.0.0 -10.2.0.0 10.4.0.0 -10.5.0.0"},
                 Row{{"10.1.2.0/24", "10.0.0.0/8"}, "-0.0.0.0 10.0.0.0 -11.0.0.0"},
                 Row{{"10.1.2.3/32", "10.1.2.5/32"}, "-0.0.0.0 10.1.2.3 -10.1.2.4 10.1.2.5 -10.1.2.6"},
                 Row{{"0.0.0.0/1", "240.0.0.0/4"}, "0.0.0.0 -128.0.0.0 240.0.0.0"},
                 Row{{"0.0.0.0/0", "10.0.0.0/8"}, "0.0.0.0"}, Row{{"255.255.255.255/32"}, "-0.0.0.0 255.255.255.255"},
                 Row{{"fd00:1::/64", "fd00:1:0:1::/64"}, "-:: fd00:1:: -fd00:1:0:2::"},
                 Row{{"fe00::/7", "fd00::/8"}, "-:: fd00::"});
    CHECK(text(intervals_of(prefixes(row.networks))) == row.intervals);
}

TEST_CASE("a rule asks for the family once, before it looks into its header") {
    const Statement address = is_in({daddr(v4)}, "virtual_address4");
    CHECK(questions_of_family({address, accept()}) == 1);
    CHECK(questions_of_family({address, is_in({saddr(v4)}, "node_address4")}) == 1);
    CHECK(questions_of_family({is_of(v4), address}) == 1);
    CHECK(questions_of_family({is_of(v6), source_is_local(), is_in_networks(saddr(v6), prefixes({"fd00::/64"}))}) == 1);
    CHECK(questions_of_family({is_in({original_daddr(v4)}, "node_address4")}) == 0);
    CHECK(questions_of_family({protocol_is("tcp"), accept()}) == 0);
    CHECK(questions_of_family({keep_destination(v4)}) == 1);
}

// A register of 16 bytes is four of 4 bytes; what does not begin one has the name of the small one.
TEST_CASE("fields of a concatenation lie one behind the other") {
    using Registers = std::vector<std::uint32_t>;
    CHECK(registers({daddr(v4)}) == Registers{NFT_REG_1, NFT_REG_1});
    CHECK(registers({daddr(v4), l4proto(), dport()}) == Registers{NFT_REG_1, NFT_REG32_01, NFT_REG32_02, NFT_REG_1});
    CHECK(registers({daddr(v6), l4proto(), dport()}) == Registers{NFT_REG_1, NFT_REG_2, NFT_REG32_05, NFT_REG_1});
    CHECK(registers({daddr(v6), l4proto(), dport(), network_of(saddr(v6), 64)}) ==
          Registers{NFT_REG_1, NFT_REG_2, NFT_REG32_05, NFT_REG32_06, NFT_REG32_06, NFT_REG_1});
}

TEST_CASE("one network is compared, several are looked up") {
    CHECK_FALSE(is_in_networks(saddr(v4), prefixes({"10.1.0.0/16"})).set);
    const auto several = is_not_in_networks(saddr(v4), prefixes({"10.1.0.0/16", "10.3.0.0/16"}));
    REQUIRE(several.set);
    CHECK(several.set->entries.size() == 5);
    CHECK(std::get<Lookup>(several.code.back()).inverted);
    CHECK(several.text == "ip saddr != { 10.1.0.0/16, 10.3.0.0/16 }");
}

// An attribute's length has 16 bits.
TEST_CASE("a rule with thousands of networks goes into messages that the kernel can take") {
    RulesetParameters parameters;
    for (std::uint32_t i = 0; i < 5000; ++i)
        parameters.pod_networks.push_back({base::Address::v4(0x0a000000U + (i << 9)), 24});
    std::size_t largest = 0;
    for (const Step& step : installation_of(make_ruleset(parameters)))
        largest = std::max(largest, std::size_t{step.message.header()->nlmsg_len});
    CHECK(largest < 65000);
    CHECK(largest > 5000);
}

TEST_CASE("a comment is found again in a rule's message, cut to what user data can hold") {
    const std::string comment = GENERATE(std::string("0123abcd: under way"), std::string(300, 'x'));
    const auto steps = installation_of({{}, {{"input", {accept()}, comment}}, ""});
    CHECK(parse_rule_comment(steps.back().message.header()) == comment.substr(0, 253));
}

// What a dump or a removal that forgets the table's name would do is everybody's table.
TEST_CASE("each message names our table, and no other") {
    std::vector<Step> steps = installation_of(make_ruleset({{{base::Address::v4(0x0a010000U), 16}}, false}));
    for (Step& step : removal())
        steps.push_back(std::move(step));
    steps.push_back({get_rules(), "rules"});
    steps.push_back({get_elements("served4"), "elements"});
    for (const Step& step : steps) {
        CAPTURE(step.what);
        const nlattr* name = nlmsg_find_attr(step.message.header(), sizeof(nfgenmsg), 1);  // in each of them
        REQUIRE(name != nullptr);
        CHECK(std::string(nla_get_string(name)) == table_name);
        CHECK(static_cast<const nfgenmsg*>(nlmsg_data(step.message.header()))->nfgen_family == NFPROTO_INET);
    }
}
