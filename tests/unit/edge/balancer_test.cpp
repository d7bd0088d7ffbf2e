// An edge's front ends over time: what is checked, and what the engine is told.
#include "proxy/edge/balancer.hpp"

#include "tests/unit/edge/world.hpp"

using namespace edge;

namespace {

struct Watched {
    Balancer balancer;
    std::set<std::string> checked;  // by their Subjects' names
    Time now = at(0s);

    Watched() = default;
    explicit Watched(const Balanced& balanced) { put(balanced); }

    void put(const Balanced& balanced) {
        balancer.put(balanced);
        follow();
    }
    void follow() {
        for (const auto& [key, targets] : balancer.exchange_targets())
            if (targets.empty())
                checked.erase(key);
            else
                checked.insert(key);
    }
    /// The check of the host has that answer, and the engine is told.
    std::string finds(const std::string& host, health::Verdict verdict, health::Doubt doubt = health::Doubt::none) {
        note(host, verdict, doubt);
        return told();
    }
    void note(const std::string& host, health::Verdict verdict, health::Doubt doubt = health::Doubt::none) {
        for (const std::string& key : checked)
            if (key.find(host) != std::string::npos) {
                const bool is_failed = verdict == health::Verdict::failed;
                const std::string why = is_failed ? "why" : "";
                balancer.note_outcome(key.substr(0, key.find(" every")),
                                      {is_failed ? health::Answer::failure : health::Answer::success, why, {}, doubt},
                                      now);
                balancer.note({{key, ""}, verdict, why}, now);
            }
    }
    /// "shop/web: 10.0.0.11 in, 10.0.0.12 out" of each slice that is told; "nothing".
    std::string told() {
        const auto transaction = balancer.review(now);
        if (!transaction)
            return "nothing";
        std::string text;
        for (const api::Upsert& upsert : transaction->upserts) {
            const auto* slice = std::get_if<api::EndpointSlice>(&upsert.object);
            if (slice == nullptr)
                continue;
            for (const api::Endpoint& endpoint : slice->endpoints)
                text += (text.empty() ? "" : ", ") + endpoint.address.to_string() +
                        (endpoint.ready         ? " in"
                         : endpoint.terminating ? " silent"
                                                : " out");
        }
        for (const api::Removal& removal : transaction->removals)
            text += " -" + removal.name.name;
        return text;
    }
    std::size_t problems() {
        balancer.review(now);
        const auto transaction = balancer.review(now);
        return transaction ? transaction->problems.size() : 0;
    }
};

constexpr auto ready = health::Verdict::ready;
constexpr auto failed = health::Verdict::failed;
constexpr auto silence = health::Doubt::silence;

}  // namespace

TEST_CASE("backends come in when they pass, and nothing is told twice") {
    Watched edge(front_end(2));
    CHECK(edge.checked.size() == 2);
    CHECK(edge.balancer.undecided() == 2);
    CHECK(edge.told() == "10.0.0.11 out, 10.0.0.12 out");
    CHECK(edge.finds("10.0.0.11", ready) == "10.0.0.11 in, 10.0.0.12 out");
    CHECK(edge.finds("10.0.0.12", ready) == "10.0.0.11 in, 10.0.0.12 in");
    CHECK(edge.balancer.undecided() == 0);
    CHECK(edge.finds("10.0.0.12", ready) == "nothing");
}

TEST_CASE("one that falls silent drains at first, and is gone when it stays silent") {
    Watched edge(front_end(3));
    edge.note("10.0.0.", ready);
    edge.told();
    CHECK(edge.finds("10.0.0.12", failed, silence) == "10.0.0.11 in, 10.0.0.12 silent, 10.0.0.13 in");
    REQUIRE(edge.balancer.next() == edge.now + 5s);
    edge.now += 4s;
    CHECK(edge.told() == "nothing");
    edge.now += 1s;
    CHECK(edge.told() == "10.0.0.11 in, 10.0.0.13 in");
    CHECK(edge.balancer.next() == std::nullopt);
    CHECK(edge.finds("10.0.0.12", ready) == "10.0.0.11 in, 10.0.0.12 in, 10.0.0.13 in");
}

TEST_CASE("when nobody answers any more, the edge is cut off and nobody is taken out") {
    Watched edge(front_end(3));
    edge.note("10.0.0.", ready);
    edge.told();
    edge.finds("10.0.0.11", failed, silence);
    edge.now += 1s;
    edge.finds("10.0.0.12", failed, silence);
    edge.now += 1s;
    CHECK(edge.finds("10.0.0.13", failed, silence) == "10.0.0.11 in, 10.0.0.12 in, 10.0.0.13 in");
    CHECK(!edge.balancer.incident().empty());
    edge.now += 60s;
    CHECK(edge.told() == "nothing");
    edge.note("10.0.0.11", ready);
    edge.told();
    REQUIRE(edge.balancer.next());  // the incident is over when it has been calm for a while
    edge.now = *edge.balancer.next();
    CHECK(edge.told() == "10.0.0.11 in");
    CHECK(edge.balancer.incident().empty());
}

TEST_CASE("one that refuses at first and falls silent later goes") {
    Watched edge(front_end(3));
    edge.note("10.0.0.", ready);
    edge.told();
    CHECK(edge.finds("10.0.0.12", failed) == "10.0.0.11 in, 10.0.0.12 out, 10.0.0.13 in");
    edge.now += 60s;
    CHECK(edge.told() == "nothing");
    CHECK(edge.balancer.note_outcome("http://10.0.0.12:10256/healthz", {health::Answer::failure, "why", {}, silence},
                                     edge.now));
    edge.told();
    edge.now += 5s;
    CHECK(edge.told() == "10.0.0.11 in, 10.0.0.13 in");
}

TEST_CASE("what a failed attempt says") {
    struct Row {
        const char* reason;
        health::Doubt doubt;
        Found::Answer answer;
    };
    const auto row = GENERATE(
        values<Row>({{"connect: timeout", silence, Found::Answer::silent},
                     {"connect: Network is unreachable", health::Doubt::route, Found::Answer::silent},
                     {"connect: No route to host", health::Doubt::none, Found::Answer::silent},
                     {"connect: Connection refused", health::Doubt::none, Found::Answer::refuses},
                     {"HTTP probe failed with statuscode: 503", health::Doubt::none, Found::Answer::says_no}}));
    CAPTURE(row.reason);
    CHECK(failure_of({health::Answer::failure, row.reason, {}, row.doubt}) == row.answer);
}

TEST_CASE("a single host that falls silent is no sign of being cut off") {
    Watched edge(front_end(1));
    edge.note("10.0.0.", ready);
    edge.told();
    CHECK(edge.finds("10.0.0.11", failed, silence) == "10.0.0.11 silent");
}

TEST_CASE("front ends that ask the same share a check") {
    Watched edge(front_end(2));
    Balanced other = front_end(2);
    other.service.name.name = "other";
    edge.put(other);
    CHECK(edge.checked.size() == 2);
    edge.balancer.remove({"shop", "web"});
    edge.follow();
    CHECK(edge.checked.size() == 2);
    edge.balancer.remove({"shop", "other"});
    edge.follow();
    CHECK(edge.checked.empty());
    CHECK(edge.balancer.undecided() == 0);
}

TEST_CASE("a check that one front end gives up and another one takes keeps what it has found") {
    Watched edge(front_end(2));
    edge.note("10.0.0.", ready);
    edge.told();
    Balanced other = front_end(2);
    other.service.name.name = "other";
    other.backends.erase(other.backends.begin());
    edge.balancer.put(front_end(1));
    edge.balancer.put(other);  // before anybody asks for targets, as when a file has changed
    edge.follow();
    CHECK(edge.checked.size() == 2);
    CHECK(edge.balancer.undecided() == 0);
    CHECK(edge.told() == "10.0.0.12 in, 10.0.0.11 in");
}

TEST_CASE("a front end that goes takes its slices along") {
    Watched edge(front_end(1));
    edge.told();
    edge.balancer.remove({"shop", "web"});
    CHECK(edge.told() == " -web -web-1");
    CHECK(edge.told() == "nothing");
}

TEST_CASE("what was found of a backend stays when others come and go") {
    Watched edge(front_end(2));
    edge.note("10.0.0.", ready);
    edge.told();
    edge.put(front_end(3));
    CHECK(edge.told() == "10.0.0.11 in, 10.0.0.12 in, 10.0.0.13 out");
    edge.put(front_end(1));
    CHECK(edge.told() == "10.0.0.11 in");
    edge.put(front_end(2));
    CHECK(edge.told() == "10.0.0.11 in, 10.0.0.12 out");  // it is another one now
}

TEST_CASE("checks that are too many are asked more seldom, and that is said") {
    Watched edge;
    Balanced many = front_end(0);
    for (int i = 0; i < 9000; ++i)
        many.backends.push_back(backend("10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250)));
    edge.put(front_end(1));
    CHECK(edge.balancer.stretch() == 1);
    edge.balancer.put(many);
    CHECK(edge.balancer.stretch() == 4);  // 4,500 a second are 1,125
    CHECK(edge.balancer.longest_window() == 20s);
    const auto targets = edge.balancer.exchange_targets();
    CHECK(targets.rbegin()->second.begin()->second.readiness->timing.period == 8s);
    const auto transaction = edge.balancer.review(edge.now);
    REQUIRE(transaction);
    CHECK(transaction->problems.size() == 1);
    edge.balancer.remove(many.service.name);
    CHECK(edge.balancer.stretch() == 1);
}

TEST_CASE("most that say no are kept, and that is a problem until they pass") {
    Watched edge(front_end(3));
    edge.note("10.0.0.", ready);
    edge.told();
    edge.note("10.0.0.", failed);
    const auto transaction = edge.balancer.review(edge.now);
    REQUIRE(transaction);
    CHECK(transaction->problems.size() == 1);
    CHECK(edge.balancer.panicking() == 1);
    CHECK(edge.balancer.states()[BackendState::kept] == 3);
    edge.note("10.0.0.", ready);
    const auto calm = edge.balancer.review(edge.now);
    REQUIRE(calm);
    CHECK(calm->problems.empty());
    CHECK_FALSE(calm->same_problems);
}

TEST_CASE("a report on a check that is gone is nobody's") {
    Watched edge(front_end(1));
    edge.told();
    edge.balancer.note({{"http://other", ""}, failed, "why"}, edge.now);
    CHECK_FALSE(edge.balancer.note_outcome("http://other", {health::Answer::failure, "why", {}, silence}, edge.now));
    CHECK(edge.told() == "nothing");
}
