// What is told of, and that it is told once.
#include "proxy/sync/announcer.hpp"

#include <catch2/catch.hpp>

#include "engine_world.hpp"

using namespace proxy;
using namespace std::chrono_literals;

namespace {

struct Told {
    build::World world{true};
    std::vector<api::EventNote> events;
    std::vector<std::string> lines;
    Time now = Time{} + 1h;
    Announcer announcer{
        world.engine, "n1", [this](api::EventNote note) { events.push_back(std::move(note)); },
        [this](const ProblemLog::Line& line) { lines.push_back((line.resolved ? "resolved: " : "") + line.text); }};

    /// What comes of it: Events and lines of the log.
    std::pair<std::size_t, std::size_t> tell(const std::vector<api::Problem>& of_node = {}) {
        events.clear();
        lines.clear();
        announcer.tell_plans(now);
        announcer.log_problems(of_node, now);
        return {events.size(), lines.size()};
    }
};

using Count = std::pair<std::size_t, std::size_t>;

/// A Service with an external address that it shares with others of the same port.
api::Service sharing(const std::string& name, const std::string& cluster_ip) {
    auto made = build::service(name, cluster_ip);
    made.uid = "uid-of-" + name;
    made.external_ips = {build::address("203.0.113.7")};
    return made;
}

}  // namespace

TEST_CASE(
    "a front end that a Service loses to another one is an Event of it and a line, once; and a line when it is over") {
    Told told;
    told.world.apply(build::transaction({sharing("first", "10.96.0.5")}, true));
    CHECK(told.tell() == Count{0, 0});
    told.world.apply(build::transaction({sharing("second", "10.96.0.6")}));
    REQUIRE(told.tell() == Count{1, 1});
    CHECK(told.events[0].reason == "FrontEndConflict");
    CHECK(told.events[0].kind == "Service");
    CHECK(told.events[0].uid == "uid-of-" + told.events[0].name);
    CHECK(told.events[0].warning);
    CHECK(told.tell() == Count{0, 0});
    told.world.apply(build::removal(api::Kind::service, "first"));
    REQUIRE(told.tell() == Count{0, 1});
    CHECK_THAT(told.lines[0], Catch::StartsWith("resolved: "));
}

TEST_CASE("who has been told is not told again when another one loses the same front end") {
    Told told;
    told.world.apply(build::transaction({sharing("first", "10.96.0.5")}, true));
    told.world.apply(build::transaction({sharing("second", "10.96.0.6")}));
    told.tell();
    told.world.apply(build::transaction({sharing("third", "10.96.0.7")}));
    REQUIRE(told.tell() == Count{1, 1});
    CHECK(told.events[0].name == "third");
}

TEST_CASE("what is the node's is logged when it comes and when it goes") {
    Told told;
    const std::vector<api::Problem> problems = {{{}, "", "the kernel cannot be programmed: why", false}};
    CHECK(told.tell() == Count{0, 0});
    CHECK(told.tell(problems) == Count{0, 1});
    CHECK(told.tell(problems) == Count{0, 0});
    CHECK(told.tell() == Count{0, 1});
}

TEST_CASE("the source's problems are looked at when they have changed") {
    Told told;
    told.tell();
    auto transaction = build::transaction({}, true);
    transaction.problems = {{{"web.yaml", 3}, "", "cannot be parsed", false}};
    told.world.apply(std::move(transaction));
    CHECK(told.tell() == Count{0, 0});
    told.announcer.note_source_problems();
    CHECK(told.tell() == Count{0, 1});
}

TEST_CASE("a listener that does not work is an Event of the Node, and a problem until it works") {
    Told told;
    told.announcer.tell_listener("healthz_bind_address", "FailedToStartProxierHealthcheck", "it is taken");
    REQUIRE(told.events.size() == 1);
    CHECK(told.events[0].kind == "Node");
    CHECK(told.events[0].name == "n1");
    CHECK(told.announcer.listener_problems().at("healthz_bind_address") == "it is taken");
    told.announcer.tell_listener("healthz_bind_address", "FailedToStartProxierHealthcheck", "");
    CHECK(told.events.size() == 1);
    CHECK(told.announcer.listener_problems().empty());
}

TEST_CASE("refusals are news when their version is another one") {
    Told told;
    CHECK_FALSE(told.announcer.note_refusals(0));
    CHECK(told.announcer.note_refusals(3));
    CHECK_FALSE(told.announcer.note_refusals(3));
}

TEST_CASE("with a folder nobody is there to post to") {
    build::World world;
    Announcer announcer(world.engine, "n1", {});
    announcer.tell_start();
    announcer.tell_of_node("FirewallDropsServices", "it does");
    announcer.tell_listener("metrics_bind_address", "FailedToStartMetricServer", "it is taken");
    CHECK(announcer.listener_problems().size() == 1);
}
