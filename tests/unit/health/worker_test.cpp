// The kubelet's worker, row by row, as the real one of Kubernetes 1.20.2 and of today behaves. A row is a sequence of
// words and the cached value after each: S success, F failure, U unknown; how many answers in a row were alike, where
// the row says it; "h" on hold, "X" the worker has ended.
#include "health/worker.hpp"

#include <catch2/catch.hpp>
#include <sstream>

using namespace health;
using namespace std::chrono_literals;

namespace {

struct Row {
    const char* id;
    ProbeType type;
    int failures;
    int successes;
    /// S F W U E: an answer. Other words change what the next tick sees: new, waiting, running, terminated, started,
    /// unstarted, deleting, gone (status unknown), noid, failed, succeeded, never (restartPolicy), age=N; tick: only a
    /// tick.
    const char* sequence;
    const char* cached;
};

constexpr auto R = ProbeType::readiness;
constexpr auto L = ProbeType::liveness;
constexpr auto S = ProbeType::startup;

// The kubelet's (pkg/kubelet/prober/worker.go); where its versions differ, the newer one's.
const Row kubelet_rows[] = {
    {"R1", R, 3, 1, "S F F F F S", "S1 S1 S2 F3 F4 S1"},
    {"R2", R, 3, 1, "F F F S", "F1 F2 F3 S1"},
    {"R3", R, 3, 1, "S F F S F F S F F F", "S S S S S S S S S F3"},
    {"R4", R, 1, 3, "S S S F S S S", "F F S F F F S"},
    {"R5", R, 3, 3, "S S F S S S F F S F F F", "F F F F F S S S S S S F"},
    {"R6", R, 3, 1, "S F E F E F", "S1 S1 S1 S2 S2 F3"},
    {"R7", R, 3, 1, "S E E E E", "S S S S S"},
    {"R8", R, 2, 1, "S U U", "S S1 F2"},
    {"R9", R, 2, 1, "W F W F F", "S S S S F"},
    {"R10", R, 1, 1, "unstarted S S started S unstarted F", "F0 F0 S1 S1"},
    {"R11", R, 3, 1, "S waiting tick tick running S", "S1 F1 F1 S2"},
    {"R12", R, 3, 1, "S terminated tick tick new running F S", "S F F F1 S1"},
    {"R13", R, 3, 1, "never S terminated tick", "S FX"},
    {"R14", R, 3, 1, "S terminated tick tick", "S F F"},
    {"R15", R, 3, 1, "S F F new F F F", "S S1 S2 F3 F4 F5"},
    {"R16", R, 3, 2, "S S new S S", "F1 S2 S3 S4"},
    {"R17", R, 3, 1, "S gone F F F F", "S1 S1 S1 S1 S1"},
    {"R18", R, 3, 1, "S noid F F F", "S S S S"},
    {"R19", R, 1, 1, "S failed tick", "S SX"},
    {"R20", R, 1, 1, "S succeeded tick", "S SX"},
    {"R22", R, 3, 1, "S F F waiting tick running F S", "S S1 S2 F2 F3 S1"},
    {"R23", R, 1, 1, "S deleting F S", "S F S"},
    {"R24", R, 3, 2, "S S waiting tick running S S", "F S2 F S3 S4"},
    {"L1", L, 3, 1, "F F F S S new S F F F", "S S F0h Fh Fh S1 S1 S2 F0h"},
    {"L2", L, 3, 1, "F F S F F F", "S1 S2 S1 S1 S2 F0h"},
    {"L3", L, 1, 1, "F S new S", "Fh Fh S"},
    {"L4", L, 1, 1, "unstarted F F started F", "S0 S0 Fh"},
    {"L5", L, 3, 1, "F F new F", "S S Fh"},
    {"L6", L, 1, 1, "S deleting tick", "S SX"},
    {"L7", L, 2, 1, "E E E F F", "S0 S0 S0 S1 Fh"},
    {"U1", S, 3, 1, "unstarted F F F S new F S", "U U Fh Fh U S0h"},
    {"U2", S, 3, 1, "unstarted F F S started F F F", "U U Sh Sh Sh Sh"},
    {"U3", S, 3, 1, "unstarted F F new F", "U U Fh"},
    {"U4", S, 3, 1, "unstarted S S F", "S0h Sh Sh"},
    {"U5", S, 30, 1, "unstarted F waiting tick running F S", "U F1 F2 Sh"},
    {"U6", S, 3, 1, "unstarted S started new unstarted F S", "Sh U Sh"},
    {"U7", S, 1, 1, "unstarted deleting tick", "SX"},
};

// Where podferry decides otherwise: counters start anew, nothing is held.
const Row our_rows[] = {
    {"R15", R, 3, 1, "S F F new F F F", "S S S F F F"},
    {"R16", R, 3, 2, "S S new S S", "F S F S"},
    {"R24", R, 3, 2, "S S waiting tick running S S", "F S F S S"},
    {"L5", L, 3, 1, "F F new F F F", "S S S S F"},
    {"L3", L, 1, 1, "F S F", "F S F"},
    {"U3", S, 3, 1, "unstarted F F new F F F", "U U U U F"},
    {"U1", S, 3, 1, "unstarted F F F S", "U U F S"},
};

/// False when the word is not one that changes what is seen.
bool change(const std::string& word, Observation& seen, int& containers) {
    if (word == "new")
        seen.incarnation = std::to_string(++containers);
    else if (word == "waiting")
        seen.running = false;
    else if (word == "terminated")
        seen.running = false, seen.terminated = true;
    else if (word == "running")
        seen.running = true, seen.terminated = false;
    else if (word == "started" || word == "unstarted")
        seen.started = word == "started";
    else if (word == "deleting")
        seen.deleting = true;
    else if (word == "gone")
        seen.known = false;
    else if (word == "noid")
        seen.incarnation.clear();
    else if (word == "failed" || word == "succeeded")
        seen.terminal = true;
    else if (word == "never")
        seen.restarts_never = true;
    else if (word.starts_with("age="))
        seen.age = std::chrono::seconds(std::stoi(word.substr(4)));
    else
        return false;
    return true;
}

Answer answer_of(char word) {
    switch (word) {
        case 'S':
            return Answer::success;
        case 'W':
            return Answer::warning;
        case 'F':
            return Answer::failure;
        case 'U':
            return Answer::unknown;
        default:
            return Answer::error;
    }
}

bool has_digit(const std::string& text) {
    return text.find_first_of("0123456789") != std::string::npos;
}

/// In the row's own words: how many answers were alike only where it says so.
std::string play(const Row& row, WorkerRules rules, std::chrono::seconds delay = 0s) {
    Timing timing;
    timing.failure_threshold = row.failures;
    timing.success_threshold = row.successes;
    timing.initial_delay = delay;
    Worker worker(row.type, rules);
    Observation seen;
    int containers = 1;
    seen.incarnation = "1";
    std::string result;
    std::istringstream words(row.sequence);
    std::istringstream expected(row.cached);
    for (std::string word; words >> word;) {
        if (change(word, seen, containers))
            continue;
        const Decision decision = worker.tick(seen, timing);
        if (decision == Decision::probe && word != "tick")
            worker.answer(answer_of(word[0]), timing);
        result += result.empty() ? "" : " ";
        result += worker.cached() == Cached::success ? "S" : worker.cached() == Cached::failure ? "F" : "U";
        std::string token;
        expected >> token;
        result += has_digit(token) ? std::to_string(worker.run()) : "";
        result += worker.on_hold() ? "h" : "";
        result += decision == Decision::end ? "X" : "";
    }
    return result;
}

}  // namespace

TEST_CASE("the worker does what the kubelet's does") {
    for (const Row& row : kubelet_rows) {
        CAPTURE(row.id, row.sequence);
        CHECK(play(row, {true, true}) == row.cached);
    }
}

TEST_CASE("where nobody restarts containers, counters start anew and nothing is held") {
    for (const Row& row : our_rows) {
        CAPTURE(row.id, row.sequence);
        CHECK(play(row, {false, false}) == row.cached);
    }
}

TEST_CASE("where it is asked for, one success does not take back a failure (rule 7 of docs/probing.md)") {
    const WorkerRules rules{false, false, 2};
    CHECK(play({"", R, 2, 1, "S F F S F S S F S", ""}, rules) == "S S F F F F S S S");
    CHECK(play({"", R, 1, 3, "S S S F S S S", ""}, rules) == "F F S F F F S");
    CHECK(play({"", R, 3, 1, "S", ""}, rules) == "S");  // the first one is enough
}

TEST_CASE("the initial delay counts whole seconds since the container started") {
    const Row row{"R21", R, 1, 1, "age=0 S age=9 S age=10 S", "F0 F0 S1"};
    CHECK(play(row, {true, true}, 10s) == row.cached);
}

TEST_CASE("a verdict is decided only when a threshold was reached") {
    Timing timing;
    Worker worker(R, {});
    Observation seen;
    seen.incarnation = "1";
    worker.tick(seen, timing);
    CHECK_FALSE(worker.decided());
    worker.answer(Answer::failure, timing);
    worker.answer(Answer::failure, timing);
    CHECK_FALSE(worker.decided());
    worker.answer(Answer::failure, timing);
    CHECK(worker.decided());
}
