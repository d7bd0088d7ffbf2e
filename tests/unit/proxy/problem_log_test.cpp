// Which problems are logged.
#include "proxy/sync/problem_log.hpp"

#include <catch2/catch.hpp>

using namespace proxy;
using namespace std::chrono_literals;

namespace {

const auto start = ProblemLog::Time() + 1h;

api::Problem problem(const std::string& text, bool warning = true) {
    return {{}, "", text, warning};
}

std::string shown(const std::vector<ProblemLog::Line>& lines) {
    std::string text;
    for (const ProblemLog::Line& line : lines)
        text += (text.empty() ? "" : "; ") +
                std::string(line.resolved                     ? "resolved "
                            : line.level == log::Level::error ? "error "
                                                              : "") +
                line.text;
    return text;
}

}  // namespace

TEST_CASE("a problem is said when it comes and when it goes") {
    ProblemLog problems;
    problems.put("conflicts", "a", {problem("one"), problem("two", false), problem("one")}, start);
    CHECK(shown(problems.exchange_lines(start)) == "one; error two");
    problems.put("conflicts", "a", {problem("two", false), problem("one")}, start);
    problems.put("conflicts", "b", {}, start);
    CHECK(problems.exchange_lines(start).empty());
    problems.put("conflicts", "a", {problem("two", false), problem("three")}, start);
    problems.put("plans", "a", {problem("one")}, start);
    CHECK(shown(problems.exchange_lines(start)) == "three; resolved one; one");
    problems.put("conflicts", "a", {}, start);
    CHECK(shown(problems.exchange_lines(start)) == "resolved three; resolved two");
}

TEST_CASE("of ten thousand problems ten are logged and the rest counted, and other kinds are not silenced") {
    ProblemLog problems;
    for (int i = 0; i < 10'000; ++i)
        problems.put("conflicts", std::to_string(i), {problem("conflict " + std::to_string(i))}, start);
    problems.put("problems", "", {problem("something else")}, start);
    const auto lines = problems.exchange_lines(start);
    REQUIRE(lines.size() == 12);
    CHECK(lines[9].text == "conflict 9");
    CHECK(lines[10].text == "something else");
    CHECK(lines[11].text ==
          "9990 more conflicts have come or gone, which are not logged one by one; `podferry status` lists what there "
          "is");
    CHECK(problems.exchange_lines(start).empty());
    // What was not said when it came is not said when it goes.
    for (int i = 100; i < 200; ++i)
        problems.put("conflicts", std::to_string(i), {}, start + 10min);
    CHECK(problems.exchange_lines(start + 10min).empty());
}

TEST_CASE("one that comes and goes all the time does not fill the log") {
    ProblemLog problems;
    std::size_t lines = 0;
    for (int i = 0; i < 36'000; ++i) {  // ten times a second for an hour
        const auto now = start + i * 100ms;
        problems.put("plans", "web", i % 2 == 0 ? std::vector{problem("wrong")} : std::vector<api::Problem>{}, now);
        lines += problems.exchange_lines(now).size();
    }
    CHECK(lines < 500);
    CHECK(lines > 300);
}
