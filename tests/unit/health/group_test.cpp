// What becomes of the endpoints of a Service's port: the rules of docs/probing.md that look at one group.
#include "health/guard/group.hpp"

#include <catch2/catch.hpp>
#include <string>

using namespace health;
using namespace std::chrono_literals;

namespace {

const Time start = Time{} + 1h;

/// A letter for each: r ready, o ready and to be out (the earlier the longer), n not ready, x not ready and to be out,
/// p not ready, passes, and its node is unknown, since `start`; P the same, 11 s later.
std::vector<Member> members(const std::string& letters) {
    std::vector<Member> all;
    for (const char letter : letters) {
        Member member;
        member.ready = letter == 'r' || letter == 'o';
        if (letter == 'o' || letter == 'x')
            member.out_since = start + std::chrono::seconds(all.size());
        if (letter == 'p' || letter == 'P') {
            member.passes = member.node_unknown = true;
            member.not_ready_since = start + (letter == 'P' ? 11s : 0s);
        }
        all.push_back(member);
    }
    return all;
}

/// i in, n not ready, o out, l kept as the last, p in panic, b within the budget, r retained.
std::string letters(const std::vector<MemberFate>& fates) {
    std::string text;
    for (const MemberFate fate : fates)
        text += "inolpbr"[static_cast<std::size_t>(fate)];
    return text;
}

std::string decided(const std::string& given, const GroupRules& rules = {}, PanicState before = {},
                    Time now = start + 1min) {
    return letters(decide(members(given), rules, before, now).fates);
}

}  // namespace

TEST_CASE("rule 1: own checks only veto; they never make ready what the API calls not ready") {
    struct Row {
        const char* members;
        const char* fates;
    };
    const auto row = GENERATE(values<Row>({{"rrr", "iii"},
                                           {"rrn", "iin"},
                                           {"rrx", "iin"},
                                           {"rro", "iio"},
                                           {"rrp", "iin"},  // it passes, and stays not ready
                                           {"nn", "nn"},
                                           {"", ""}}));
    CAPTURE(row.members);
    CHECK(decided(row.members) == row.fates);
}

TEST_CASE("rule 2: never the last one, and never most of them") {
    struct Row {
        const char* members;
        const char* fates;
    };
    const auto row = GENERATE(values<Row>({{"o", "l"},
                                           {"on", "ln"},  // one that is not ready does not help
                                           {"ro", "io"},  // half of them are in: no panic
                                           {"oo", "pp"},
                                           {"roo", "ipp"},
                                           {"rroo", "iioo"},
                                           {"rrooo", "iippp"},
                                           {"rrxxx", "iinnn"},
                                           {"oooo", "pppp"}}));
    CAPTURE(row.members);
    CHECK(decided(row.members) == row.fates);
}

TEST_CASE("rule 2: panic begins at once, and ends when enough have been in for a while") {
    PanicState state;
    const auto at = [&](std::chrono::seconds second, const std::string& given) {
        const GroupDecision decision = decide(members(given), {}, state, start + second);
        state = decision.panic;
        return letters(decision.fates) + (decision.again ? "!" : "");
    };
    CHECK(at(0s, "rrrooooooo") == "iiippppppp");
    CHECK(at(1s, "rrrrrooooo") == "iiiiippppp");  // half of them: more is needed to end it
    CHECK(at(2s, "rrrrrroooo") == "iiiiiipppp!");
    CHECK(at(31s, "rrrrrroooo") == "iiiiiipppp!");
    CHECK(at(31s, "rrrrrooooo") == "iiiiippppp");  // it begins anew
    CHECK(at(40s, "rrrrrroooo") == "iiiiiipppp!");
    CHECK(at(69s, "rrrrrroooo") == "iiiiiipppp!");
    CHECK(at(70s, "rrrrrroooo") == "iiiiiioooo");
    CHECK(at(71s, "rrrrrooooo") == "iiiiiooooo");
    CHECK(at(72s, "rrrroooooo") == "iiiipppppp");
    CHECK(at(73s, "rrrrrrrrrr") == "iiiiiiiiii");  // nothing is in doubt any more
    CHECK(state == PanicState{});
}

TEST_CASE("rule 3: no more than its budget of a Service is out, and those stay out that were first") {
    struct Row {
        const char* members;
        std::size_t percent;
        const char* fates;
    };
    const auto row = GENERATE(values<Row>({{"rrrrrrrrro", 10, "iiiiiiiiio"},
                                           {"rrrrrrrroo", 10, "iiiiiiiiob"},
                                           {"rrrrroooo", 25, "iiiiioobb"},
                                           {"ro", 10, "io"},  // one of two may be out
                                           {"rrrrroooo", 50, "iiiiioooo"}}));
    CAPTURE(row.members, row.percent);
    GroupRules rules;
    rules.most_out_percent = row.percent;
    CHECK(decided(row.members, rules) == row.fates);
}

TEST_CASE(
    "rule 6: those that the API has called not ready at once, and that pass, are kept for a while, if asked for") {
    struct Row {
        const char* what;
        const char* members;
        std::chrono::seconds retain;
        std::chrono::seconds at;
        const char* fates;
    };
    const auto row = GENERATE(values<Row>({
        {"not asked for", "pppp", 0s, 1s, "nnnn"},
        {"all at once", "pppp", 600s, 1s, "rrrr"},
        {"most at once", "pppr", 600s, 1s, "rrri"},
        {"half of them", "pprr", 600s, 1s, "nnii"},
        {"not at once", "ppPP", 600s, 12s, "nnnn"},
        {"not at once, but most were", "pppP", 600s, 12s, "rrrn"},
        {"the time is over", "pppp", 600s, 600s, "nnnn"},
        {"some others are simply not ready", "pppn", 600s, 1s, "rrrn"},
        {"of which too many", "ppnn", 600s, 1s, "nnnn"},
        {"and one of ours is out", "pppo", 600s, 1s, "rrrl"},
    }));
    CAPTURE(row.what);
    GroupRules rules;
    rules.retain = row.retain;
    CHECK(decided(row.members, rules, {}, start + row.at) == row.fates);
}

TEST_CASE("rule 6: it is decided again when the time is over") {
    GroupRules rules;
    rules.retain = 600s;
    CHECK(decide(members("pppp"), rules, {}, start + 1s).again == start + 600s);
    CHECK_FALSE(decide(members("pppp"), rules, {}, start + 600s).again);
}

TEST_CASE("rules 8 and 9: what becomes of one that is out") {
    CHECK(treatment_of(Finding::failed, false) == Treatment::weight_0);
    CHECK(treatment_of(Finding::failed, true) == Treatment::removal);
    CHECK(treatment_of(Finding::dead, false) == Treatment::removal);
    CHECK(treatment_of(Finding::dead, true) == Treatment::removal);
}
