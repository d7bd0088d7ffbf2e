// What becomes of a front end's backends. Each row is a front end whose backends are written as letters:
// p passes, n says no, r refuses, s silent, u unknown, b barred, 0 weight 0, - without a check; small letters
// for 1 s, capitals for 10 s, which is longer than a check's window.
#include "proxy/edge/fate.hpp"

#include <cctype>

#include "tests/unit/edge/world.hpp"

using namespace edge;

namespace {

struct Case {
    Balanced balanced;
    std::map<std::string, Found> checks;
};

Case read(const std::string& letters, bool speaks_for_endpoints) {
    Case made{front_end(static_cast<int>(letters.size()), speaks_for_endpoints), {}};
    for (std::size_t i = 0; i < letters.size(); ++i) {
        Backend& backend = made.balanced.backends[i];
        const char letter = static_cast<char>(std::tolower(letters[i]));
        const Time since = at(letters[i] == letter ? 99s : 90s);
        const std::map<char, Found::Answer> answers = {{'p', Found::Answer::passes},  {'n', Found::Answer::says_no},
                                                       {'r', Found::Answer::refuses}, {'s', Found::Answer::silent},
                                                       {'b', Found::Answer::passes},  {'0', Found::Answer::passes}};
        if (const auto answer = answers.find(letter); answer != answers.end())
            made.checks[to_string(*backend.check)] = {answer->second, since, "why", true};
        if (letter == 'b')
            backend.barred = "excluded";
        if (letter == '0')
            backend.weight = 0;
        if (letter == '-')
            backend.check.reset();
    }
    return made;
}

/// i in, k kept, w weight 0, b barred, u waiting, o out, s silent, x dead.
std::string letters_of(const Fates& fates) {
    std::string text;
    for (const BackendFate& fate : fates.each)
        text += "ikwbuosx"[static_cast<std::size_t>(fate.state)];
    return text;
}

}  // namespace

TEST_CASE("what becomes of the backends of a front end") {
    struct Row {
        const char* why;
        const char* found;
        const char* fates;
        bool speaks_for_endpoints = false;
        SafetyRules safety{};
    };
    const SafetyRules none{0, 100};
    const auto row = GENERATE_COPY(values<Row>({
        {"who passes is in", "ppp", "iii"},
        {"who is not checked is in", "p-", "ii"},
        {"nobody is in before it has passed", "pu", "iu"},
        {"a bad answer takes one out", "ppn", "iio"},
        {"a refused connection too", "ppr", "iio"},
        {"one of two may always be out", "pn", "io"},
        {"most that answer badly are kept: the check may be wrong", "pnnn", "ikkk"},
        {"not more than half are out", "ppnn", "iioo"},
        {"the only one is kept", "n", "k"},
        {"all of them are kept", "nn", "kk"},
        {"without guards all go", "nn", "oo", false, none},
        {"without guards the only one goes", "n", "o", false, none},
        {"no endpoint on most nodes is what a Service may be like", "pnnn", "iooo", true},
        {"no endpoint anywhere: nobody", "nnn", "ooo", true},
        {"a refused health check port says nothing of endpoints", "prrr", "ikkk", true},
        {"who is silent is out at once, and drains", "ps", "is"},
        {"who stays silent is dead", "pS", "ix"},
        {"all may be silent", "sS", "sx"},
        {"silence is not doubted because most are silent", "pSSS", "ixxx"},
        {"who is silent does not count among those that say no", "pnSS", "ioxx"},
        {"a barred node stays barred though it passes", "pb", "ib"},
        {"the last one is barred all the same", "b", "b"},
        {"weight 0 drains", "p0", "iw"},
    }));
    CAPTURE(row.why, row.found);
    Case made = read(row.found, row.speaks_for_endpoints);
    made.balanced.safety = row.safety;
    CHECK(letters_of(fates_of(made.balanced, {made.checks, {}}, {}, at(100s))) == row.fates);
}

TEST_CASE("silence that began when nobody answered any more is not believed, of those that have passed") {
    Case made = read("sSu", false);
    const auto fates = [&](std::optional<Time> since) {
        return letters_of(fates_of(made.balanced, {made.checks, since}, {}, at(100s)));
    };
    CHECK(fates(std::nullopt) == "sxu");
    CHECK(fates(at(95s)) == "kxu");  // the second one was silent before
    CHECK(fates(at(80s)) == "kku");
    made.checks.begin()->second.has_passed = false;
    CHECK(fates(at(80s)) == "sku");
}

TEST_CASE("one that is silent is looked at again when its time is over") {
    const Case made = read("ps", false);
    const Fates fates = fates_of(made.balanced, {made.checks, {}}, {}, at(100s));
    CHECK(fates.again == at(99s) + 5s);
    const Fates later = fates_of(made.balanced, {made.checks, {}}, {}, *fates.again);
    CHECK(letters_of(later) == "ix");
    CHECK(later.again == std::nullopt);
}

TEST_CASE("each that is not simply in has a reason") {
    const Case made = read("pnsSub0", false);
    for (const BackendFate& fate : fates_of(made.balanced, {made.checks, {}}, {}, at(100s)).each)
        CHECK(fate.reason.empty() == (fate.state == BackendState::in));
}
