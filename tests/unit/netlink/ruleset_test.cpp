#include "netlink/ruleset.hpp"

#include <catch2/catch.hpp>

using netlink::make_ruleset;

TEST_CASE("the version changes with any rule, and only then") {
    const auto plain = make_ruleset({});
    CHECK(plain.version == make_ruleset({}).version);
    CHECK(plain.version != make_ruleset({{"10.1.0.0/16"}, false}).version);
    CHECK(plain.version != make_ruleset({{}, true}).version);
    CHECK(make_ruleset({{"10.1.0.0/16"}, false}).version != make_ruleset({{"10.2.0.0/16"}, false}).version);
}

TEST_CASE("what pods send outside of a window is dropped by family, and only where pods are known") {
    CHECK(make_ruleset({}).text.find("add rule inet podferry out_of_place") == std::string::npos);
    const auto v4 = make_ruleset({{"10.1.0.0/16"}, false}).text;
    CHECK(v4.find("out_of_place ip saddr { 10.1.0.0/16 } meta l4proto tcp ct state invalid counter drop") !=
          std::string::npos);
    CHECK(v4.find("out_of_place ip6") == std::string::npos);
}

TEST_CASE("each rule is counted and carries the version") {
    const auto ruleset = make_ruleset({{"10.1.0.0/16", "fd00:1::/64"}, false});
    std::size_t rules = 0;
    std::size_t comments = 0;
    for (std::size_t at = 0; (at = ruleset.text.find("add rule", at)) != std::string::npos; ++at)
        ++rules;
    for (std::size_t at = 0; (at = ruleset.text.find("comment \"" + ruleset.version, at)) != std::string::npos; ++at)
        ++comments;
    CHECK(rules == ruleset.rules);
    CHECK(comments == ruleset.rules);
}

TEST_CASE("clients of ClusterIPs are masqueraded by family, and only where pods are known") {
    const auto masquerades = [](const std::string& text, const std::string& set) {
        return text.find("ct original proto-dst " + set + " counter masquerade") != std::string::npos;
    };
    CHECK_FALSE(masquerades(make_ruleset({}).text, "@cluster4"));
    const auto v4 = make_ruleset({{"10.1.0.0/16"}, false}).text;
    CHECK(v4.find("ip saddr != { 10.1.0.0/16 } fib saddr type != local") != std::string::npos);
    CHECK(masquerades(v4, "@cluster4"));
    CHECK_FALSE(masquerades(v4, "@cluster6"));
    CHECK(masquerades(make_ruleset({{}, true}).text, "@cluster6"));
}
