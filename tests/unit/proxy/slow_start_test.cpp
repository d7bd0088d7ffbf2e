// How the weights of new real servers grow.
#include "proxy/engine/slow_start.hpp"

#include <catch2/catch.hpp>

#include "engine_world.hpp"

using namespace proxy;
using namespace std::chrono_literals;
using build::World;

namespace {

const api::ObjectName web{"shop", "web"};

/// A Service with one virtual server, whose real servers are 10.1.0.1, 10.1.0.2 and so on.
struct Pool {
    SlowStart slow_start;
    std::map<int, int> kernel;  // weights, by the last number of the address
    std::map<int, int> planned;
    std::string scheduler = "wrr";
    std::chrono::milliseconds time = 90s;  // 10 s a step
    Time now{1h};

    /// "1 3:0": what the plan says, and then "1=100 3=0", what comes of it.
    std::string weigh(const std::string& wanted) {
        const netlink::VirtualServer server{build::address("10.96.0.5"), netlink::Protocol::tcp, 80};
        ServicePlan plan;
        plan.slow_start = time;
        netlink::VirtualServerState state;
        state.settings.scheduler = scheduler;
        std::istringstream words(wanted);
        for (std::string word; words >> word;)
            state.real_servers[{build::address("10.1.0." + word.substr(0, 1)), 8080}] = word.ends_with(":0") ? 0 : 1;
        plan.virtual_servers.push_back({server, state});
        Mirror mirror;
        for (const auto& [number, weight] : kernel)
            mirror.virtual_servers[server].real_servers[{build::address("10.1.0." + std::to_string(number)), 8080}] =
                weight;
        slow_start.weigh(web, plan, mirror);
        planned.clear();
        std::string text;
        for (const auto& [real, weight] : plan.virtual_servers[0].state.real_servers) {
            const int number = real.address.bytes()[3];
            planned[number] = weight;
            text += (text.empty() ? "" : " ") + std::to_string(number) + "=" + std::to_string(weight);
        }
        return text;
    }
    /// The same `later`, and how often the Service was to be weighed again by then: "1=100 3=20 x1".
    std::string after(std::chrono::milliseconds later, const std::string& wanted) {
        const Time end = now + later;
        std::size_t changes = 0;
        while (slow_start.next() && *slow_start.next() <= end) {
            now = std::max(now, *slow_start.next());
            changes += slow_start.review(now).size();
        }
        now = end;
        return weigh(wanted) + " x" + std::to_string(changes);
    }
};

}  // namespace

TEST_CASE("a new real server gets a tenth of a full share and grows in ten steps") {
    Pool pool;
    pool.kernel = {{1, 1}, {2, 1}};
    CHECK(pool.weigh("1 2") == "1=100 2=100");
    CHECK(pool.after(1h, "1 2") == "1=100 2=100 x0");
    CHECK_FALSE(pool.slow_start.next());
    CHECK(pool.weigh("1 2 3") == "1=100 2=100 3=10");
    CHECK(SlowStart::is_growing(pool.planned[3]));
    CHECK(pool.after(9s, "1 2 3") == "1=100 2=100 3=10 x0");
    CHECK(pool.after(1s, "1 2 3") == "1=100 2=100 3=20 x1");
    CHECK(pool.after(70s, "1 2 3") == "1=100 2=100 3=90 x7");
    CHECK(pool.after(9999ms, "1 2 3") == "1=100 2=100 3=90 x0");
    CHECK(pool.after(1ms, "1 2 3") == "1=100 2=100 3=100 x1");
    CHECK_FALSE(pool.slow_start.next());
    CHECK_FALSE(SlowStart::is_growing(pool.planned[3]));
}

TEST_CASE("those that are equally new have equal weights, and those that are furthest the full one") {
    Pool pool;
    CHECK(pool.weigh("1 2") == "1=100 2=100");
    CHECK(pool.after(20s, "1 2") == "1=100 2=100 x2");
    CHECK(pool.weigh("1 2 3") == "1=100 2=100 3=40");  // steps 3, 3 and 1
    CHECK(pool.after(10s, "1 2 3") == "1=100 2=100 3=50 x1");
    CHECK(pool.after(60s, "1 2 3") == "1=100 2=100 3=80 x6");
    CHECK(pool.weigh("1:0 2:0 3") == "1=0 2=0 3=100");
    CHECK(pool.weigh("3") == "3=100");
}

TEST_CASE("one that was away is new again only if it was away for long") {
    Pool pool;
    pool.kernel = {{1, 100}, {2, 100}};
    pool.weigh("1 2");
    CHECK(pool.after(0s, "1 2:0") == "1=100 2=0 x0");
    CHECK(pool.after(9s, "1 2") == "1=100 2=100 x0");
    CHECK(pool.after(0s, "1") == "1=100 x0");
    CHECK(pool.after(10s, "1 2") == "1=100 2=10 x0");
    CHECK(pool.after(20s, "1") == "1=100 x2");
    CHECK(pool.after(9s, "1 2") == "1=100 2=30 x0");
    CHECK(pool.after(1s, "1 2") == "1=100 2=40 x1");
}

TEST_CASE("at the start the kernel says how far real servers are") {
    struct Row {
        const char* what;
        std::map<int, int> kernel;
        const char* at_once;
        const char* after_a_step;
    };
    const Row rows[] = {
        {"nothing there", {}, "1=100 2=100", "1=100 2=100 x1"},
        {"in a ramp", {{1, 100}, {2, 30}}, "1=100 2=30", "1=100 2=40 x1"},
        {"came while podferry was away", {{1, 100}}, "1=100 2=10", "1=100 2=20 x1"},
        {"had no weight", {{1, 100}, {2, 0}}, "1=100 2=10", "1=100 2=20 x1"},
        {"had no slow start", {{1, 1}, {2, 1}}, "1=100 2=100", "1=100 2=100 x0"},
        {"somebody else's weight", {{1, 100}, {2, 35}}, "1=100 2=100", "1=100 2=100 x0"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        Pool pool;
        pool.kernel = row.kernel;
        CHECK(pool.weigh("1 2") == row.at_once);
        CHECK(pool.after(10s, "1 2") == row.after_a_step);
    }
}

TEST_CASE("another time moves what grows, and never back; none, or another scheduler, ends it") {
    Pool pool;
    pool.kernel = {{1, 100}};
    pool.weigh("1 2");
    pool.after(20s, "1 2");
    pool.time = 45s;
    CHECK(pool.weigh("1 2") == "1=100 2=30");
    CHECK(pool.after(0s, "1 2") == "1=100 2=50 x1");
    pool.time = 1h;
    CHECK(pool.weigh("1 2") == "1=100 2=50");
    CHECK(pool.after(1min, "1 2") == "1=100 2=50 x0");
    pool.scheduler = "mh";  // a pool for clients whose affinity a virtual server with a mark cannot keep
    CHECK(pool.weigh("1 2") == "1=1 2=1");
    pool.scheduler = "wlc";
    pool.time = 0s;
    CHECK(pool.weigh("1 2") == "1=1 2=1");
    CHECK_FALSE(pool.slow_start.next());
}

TEST_CASE("a Service with slow start, its verdicts and its end") {
    World world;
    auto service = build::service("web", "10.96.0.5");
    service.annotations = {{"podferry.io/scheduler", "wrr"}, {"podferry.io/slow-start", "90s"}};
    world.kernel = {{"10.1.0.11:8080", 1}};
    world.apply(build::transaction({service, build::pod("web", "web-1", "10.1.0.11", false)}, true));
    CHECK(world.backends("10.96.0.5") == "10.1.0.11=100");
    world.apply(build::transaction({build::pod("web", "web-2", "10.1.0.12")}));
    CHECK(world.backends("10.96.0.5") == "10.1.0.11=100");
    world.judge("shop/web-2", health::Verdict::ready);
    CHECK(world.backends("10.96.0.5") == "10.1.0.11=100 10.1.0.12=10");
    const auto later = [&](std::chrono::seconds time) {
        world.engine.planner().review_slow_start(Time{} + time);
        world.plan();
        return world.backends("10.96.0.5");
    };
    CHECK(later(0s) == "10.1.0.11=100 10.1.0.12=10");
    CHECK(later(10s) == "10.1.0.11=100 10.1.0.12=20");
    world.kernel["10.1.0.12:8080"] = 20;
    CHECK(world.engine.state_of({build::address("10.96.0.5"), netlink::Protocol::tcp, 80},
                                {build::address("10.1.0.12"), 8080}, 50) == ServerState::slow_start);
    world.judge("shop/web-2", health::Verdict::failed);
    CHECK(world.backends("10.96.0.5") == "10.1.0.11=100 10.1.0.12=0");
    world.judge("shop/web-2", health::Verdict::ready);
    CHECK(later(11s) == "10.1.0.11=100 10.1.0.12=20");
    world.apply(build::removal(api::Kind::service, "web"));
    CHECK_FALSE(world.engine.planner().next_slow_start());
}

TEST_CASE("a Service whose scheduler does not heed weights has no slow start, and hears of it") {
    World world;
    auto service = build::service("web", "10.96.0.5");
    service.annotations = {{"podferry.io/slow-start", "30s"}};
    world.kernel = {{"10.1.0.11:8080", 1}};
    world.apply(build::transaction(
        {service, build::pod("web", "web-1", "10.1.0.11", false), build::pod("web", "web-2", "10.1.0.12", false)}));
    CHECK(world.backends("10.96.0.5") == "10.1.0.11=1 10.1.0.12=1");
    CHECK_THAT(world.only_problem(), Catch::Contains("this Service's scheduler is rr"));
}
