// $(NAME) in commands: the rows of Kubernetes' own table (third_party/forked/golang/expansion/expand_test.go).
#include "api/objects/expansion.hpp"

#include <catch2/catch.hpp>

using namespace api;

TEST_CASE("variables are expanded as Kubernetes does it") {
    const Environment environment = {
        {"VAR_A", "A"}, {"VAR_B", "B"}, {"VAR_C", "C"}, {"VAR_REF", "$(VAR_A)"}, {"VAR_EMPTY", ""}};
    const auto [input, expected] = GENERATE(table<std::string, std::string>({
        {"$(VAR_A)", "A"},
        {"___$(VAR_B)___", "___B___"},
        {"___$(VAR_C)", "___C"},
        {"$(VAR_A)-$(VAR_A)", "A-A"},
        {"$(VAR_A)_$(VAR_B)", "A_B"},
        {"f000-$VAR_A", "f000-$VAR_A"},
        {"foo\\$(VAR_C)bar", "foo\\Cbar"},
        {"$(VAR_REF)", "$(VAR_A)"},
        {"$$(VAR_A)", "$(VAR_A)"},
        {"$$$(VAR_A)", "$A"},
        {"$$$$(VAR_A)", "$$(VAR_A)"},
        {"foo$(VAR_EMPTY)bar", "foobar"},
        {"$(VAR_UNKNOWN)", "$(VAR_UNKNOWN)"},
        {"$(VAR_A", "$(VAR_A"},
        {"$()", "$()"},
        {"$", "$"},
        {"a$", "a$"},
        {"$$", "$"},
        {"$x$(VAR_A)", "$xA"},
        {"\n$(VAR_A)\n", "\nA\n"},
        {"$(foo$$var)", "$(foo$$var)"},
        {"$(VAR_A$(VAR_B))", "$(VAR_A$(VAR_B))"},
        {"$(VAR_A$(VAR_B)", "$(VAR_A$(VAR_B)"},
        {"--$($($($($--", "--$($($($($--"},
        {"${VAR_A}", "${VAR_A}"},
        {"$?_boo_$!", "$?_boo_$!"},
        {"$$$$$$$(VAR_A)", "$$$A"},
        {"", ""},
    }));
    CAPTURE(input);
    CHECK(expand(input, environment, 100) == expected);
}

TEST_CASE("what is expanded is bounded") {
    const Environment environment = {{"X", std::string(60, 'x')}};
    CHECK(expand("$(X)", environment, 60));
    CHECK_FALSE(expand("$(X)", environment, 59));
    CHECK_FALSE(expand("$(X)$(X)$(X)", environment, 100));
}
