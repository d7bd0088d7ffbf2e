#include "proxy/cli/manual.hpp"

#include <catch2/catch.hpp>

namespace proxy {
namespace {

CommandDescription a_program() {
    const OptionDescription help{{"-h", "--help"}, "helps", {}, false, {}, {}};
    const OptionDescription wings{{"--wings"}, "of what they are", ValueKind::choice, false, {"wax", "tin"}, "wax"};
    const OptionDescription sun{{"--sun"}, "how near", ValueKind::choice, true, {"far", "near"}, "far"};
    const OptionDescription home{{"--home"}, "it's where\n.one starts", ValueKind::directory, false, {}, {}};
    const OptionDescription plan{{"-p", "--plan"}, "a file", ValueKind::text, false, {}, {}};
    return {"icarus",
            "flies",
            "",
            {help},
            {{"fly", "goes up", "Exit status:\n  0  well", {help, wings, sun, home, plan}, {}},
             {"land", "ends", "", {help}, {}}}};
}

bool has(const std::string& text, const std::string& part) {
    INFO(text);
    INFO("expected: " << part);
    const bool found = text.find(part) != std::string::npos;
    CHECK(found);
    return found;
}

TEST_CASE("texts become roff in which nothing is a request") {
    const auto [text, roff] = GENERATE(table<std::string, std::string>({
        {"plain", "plain"},
        {"--user", "\\-\\-user"},
        {".TH", "\\&.TH"},
        {"a\n.b\n'c", "a\n\\&.b\n\\&'c"},
        {"it's", "it's"},
        {"a\\b", "a\\eb"},
        {"", ""},
    }));
    CHECK(as_roff(text) == roff);
}

TEST_CASE("the page of the program has each command with its options") {
    const std::string page = command_page(a_program(), "1.2");
    has(page, ".TH PODFERRY 8 \"\" \"podferry 1.2\"");
    has(page, ".SS podferry fly\ngoes up\n");
    has(page, "\\fB\\-\\-wings\\fR \\fRwax|tin\\fR\nof what they are.\nDefault: wax.\n");
    has(page, "\\fB\\-\\-sun\\fR [\\fRfar|near\\fR]\n");
    has(page, "\\fB\\-\\-home\\fR \\fIDIR\\fR\nit's where\n\\&.one starts\n");
    has(page, "\\fB\\-p\\fR, \\fB\\-\\-plan\\fR \\fIVALUE\\fR\n");
    has(page, ".nf\nExit status:\n  0  well\n.fi\n");
    has(page, ".B podferry land\n");
}

TEST_CASE("the page of settings has each with its default") {
    const std::string page = settings_page({{"audit_period", "How often.", "60s"}, {"a_b", ".x", "[]"}}, "1.2");
    has(page, ".TH PODFERRY\\-CONFIG 5");
    has(page, ".TP\n\\fBaudit_period:\\fR 60s\nHow often.\n.TP\n\\fBa_b:\\fR []\n\\&.x\n");
}

TEST_CASE("the completion offers what may stand there") {
    const std::string script = bash_completion(a_program());
    has(script, "        fly | land) command=");
    has(script, "    'fly --wings') _podferry_offer -W 'wax tin' ;;\n");
    has(script, "    'fly --sun') _podferry_offer -W 'far near -h --help --wings --sun --home -p --plan' ;;\n");
    has(script, "    'fly --home') _podferry_offer -d ;;\n");
    has(script, "    'fly -p' | 'fly --plan') _podferry_offer -f ;;\n");
    has(script, "    'land '*) _podferry_offer -W '-h --help' ;;\n");
    has(script, "    ' '*) _podferry_offer -W 'fly land -h --help' ;;\n");
}

}  // namespace
}  // namespace proxy
