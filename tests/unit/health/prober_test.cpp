// Probes of many containers over time, against servers on loopback.
#include "health/prober.hpp"
#include "tests/support/patience.hpp"

#include <sys/resource.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch.hpp>
#include <memory>
#include <new>
#include <stdexcept>

using namespace health;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

struct World {
    asio::io_context context;
    std::vector<std::string> reports;  // "pod verdict"
    std::size_t attempts = 0;
    std::size_t errors = 0;
    std::string error;  // the last one
    std::size_t most_in_flight = 0;
    std::unique_ptr<Prober> prober;

    explicit World(ProberLimits limits = {}) {
        prober = std::make_unique<Prober>(
            context.get_executor(), limits,
            [this](const Report& report) {
                const char* words[] = {"unknown", "ready", "failed"};
                reports.push_back(report.subject.pod + " " + words[static_cast<std::size_t>(report.verdict)]);
            },
            [this](const Attempt& attempt) {
                ++attempts;
                if (attempt.answer == Answer::error) {
                    ++errors;
                    error = attempt.reason;
                }
                most_in_flight = std::max(most_in_flight, prober->in_flight());
            });
    }
    template <class Condition>
    bool becomes(Condition condition, std::chrono::seconds limit = 15s) {
        const auto deadline = std::chrono::steady_clock::now() + testing::patience(limit);
        while (!condition() && std::chrono::steady_clock::now() < deadline)
            context.run_one_for(50ms);
        return condition();
    }
    bool reported(const std::string& line) const {
        return std::find(reports.begin(), reports.end(), line) != reports.end();
    }
};

/// A port that accepts connections (by the kernel's backlog) while the listener lives.
struct Listener {
    tcp::acceptor acceptor;
    explicit Listener(asio::io_context& context, std::uint16_t port = 0)
        : acceptor(context, {asio::ip::make_address("127.0.0.1"), port}) {}
    std::uint16_t port() const { return acceptor.local_endpoint().port(); }
};

Target tcp_target(std::uint16_t port, int failures = 1, const std::string& incarnation = "1") {
    Target target;
    target.incarnation = incarnation;
    ProbeSpec spec{TcpCheck{"127.0.0.1", port}, {}};
    spec.timing.period = 1s;
    spec.timing.failure_threshold = failures;
    target.readiness = spec;
    return target;
}

}  // namespace

TEST_CASE("a verdict is unknown, then ready, then failed, then ready again") {
    World world;
    std::optional<Listener> listener(std::in_place, world.context);
    const std::uint16_t port = listener->port();
    world.prober->set_targets({{{"p", "main"}, tcp_target(port)}});
    CHECK(world.reports == std::vector<std::string>{"p unknown"});
    CHECK(world.becomes([&] { return world.reported("p ready"); }));
    listener.reset();
    CHECK(world.becomes([&] { return world.reported("p failed"); }));
    CHECK(world.prober->verdict({"p", "main"}) == Verdict::failed);
    listener.emplace(world.context, port);
    CHECK(world.becomes([&] { return world.reports.back() == "p ready"; }));
    CHECK(world.reports == std::vector<std::string>{"p unknown", "p ready", "p failed", "p ready"});
}

TEST_CASE("a host that has no descriptors left accuses no target") {
    World world;
    Listener listener(world.context);
    world.prober->set_targets({{{"p", "main"}, tcp_target(listener.port())}});
    CHECK(world.becomes([&] { return world.reported("p ready"); }));
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    const rlimit none{0, before.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
    const std::size_t attempts = world.attempts;
    CHECK(world.becomes([&] { return world.attempts >= attempts + 2; }));
    ::setrlimit(RLIMIT_NOFILE, &before);
    CHECK_FALSE(world.reported("p failed"));
    CHECK(world.errors >= 2);
    CHECK_THAT(world.error, Catch::Contains("Too many open files"));
}

TEST_CASE("silence accuses no target while this host loses packets") {
    const bool loses = GENERATE(false, true);
    ProberLimits limits;
    limits.host_trouble = [loses] { return std::string(loses ? "packets are lost" : ""); };
    World world(limits);
    Listener listener(world.context);
    world.prober->set_targets({{{"p", "main"}, tcp_target(listener.port())}});
    CHECK(world.becomes([&] { return world.reported("p ready"); }));
    listener.acceptor.listen(0);  // one more than none; then what comes is dropped
    const tcp::endpoint full = listener.acceptor.local_endpoint();
    std::vector<tcp::socket> waiting;
    for (int i = 0; i < 4; ++i) {
        waiting.emplace_back(world.context, tcp::v4()).native_non_blocking(true);
        ::connect(waiting.back().native_handle(), full.data(), static_cast<socklen_t>(full.size()));
    }
    const std::size_t attempts = world.attempts;
    CHECK(world.becomes([&] { return world.attempts >= attempts + 2; }));
    CHECK(world.reported("p failed") != loses);
    CHECK((world.errors > 0) == loses);
}

TEST_CASE("a target that goes is forgotten, an unchanged one goes on") {
    World world;
    Listener listener(world.context);
    world.prober->set_targets(
        {{{"a", "main"}, tcp_target(listener.port())}, {{"b", "main"}, tcp_target(listener.port())}});
    CHECK(world.becomes([&] { return world.reported("a ready") && world.reported("b ready"); }));
    world.prober->set_targets({{{"a", "main"}, tcp_target(listener.port())}});
    CHECK(world.prober->verdict({"a", "main"}) == Verdict::ready);
    CHECK(world.prober->verdict({"b", "main"}) == Verdict::unknown);
}

TEST_CASE("a changed timing keeps the verdict, a new incarnation does not") {
    World world;
    Listener listener(world.context);
    world.prober->set_targets({{{"p", "main"}, tcp_target(listener.port())}});
    CHECK(world.becomes([&] { return world.reported("p ready"); }));
    world.prober->set_targets({{{"p", "main"}, tcp_target(listener.port(), 5)}});
    CHECK(world.prober->verdict({"p", "main"}) == Verdict::ready);
    world.prober->set_targets({{{"p", "main"}, tcp_target(listener.port(), 5, "2")}});
    CHECK(world.prober->verdict({"p", "main"}) == Verdict::unknown);
    CHECK(world.becomes([&] { return world.reports.back() == "p ready"; }));
}

TEST_CASE("readiness waits for the startup probe, and follows it at once") {
    World world;
    Listener listener(world.context);
    Target target = tcp_target(listener.port());
    target.readiness->timing.period = 60s;
    target.startup = tcp_target(listener.port()).readiness;
    const auto start = std::chrono::steady_clock::now();
    world.prober->set_targets({{{"p", "main"}, target}});
    CHECK(world.becomes([&] { return world.reported("p ready"); }));
    CHECK(std::chrono::steady_clock::now() - start < testing::patience(10s));
}

TEST_CASE("a container whose liveness fails has failed, though it is ready") {
    World world;
    Listener alive(world.context);
    std::uint16_t dead = 0;
    {
        const Listener closed(world.context);
        dead = closed.port();
    }
    Target target = tcp_target(alive.port());
    target.liveness = tcp_target(dead).readiness;
    world.prober->set_targets({{{"p", "main"}, target}});
    CHECK(world.becomes([&] { return world.prober->verdict({"p", "main"}) == Verdict::failed; }));
}

TEST_CASE("no more attempts at once than allowed, and all get their turn") {
    World world({4, false});
    Listener listener(world.context);
    std::map<Subject, Target> targets;
    for (int i = 0; i < 60; ++i)
        targets[{"p" + std::to_string(i), "main"}] = tcp_target(listener.port());
    world.prober->set_targets(targets);
    CHECK(world.becomes([&] {
        return std::all_of(targets.begin(), targets.end(),
                           [&](const auto& entry) { return world.prober->verdict(entry.first) == Verdict::ready; });
    }));
    CHECK(world.most_in_flight <= 4);
}

TEST_CASE("a request that cannot be made is an error that says why, again and again, and keeps no place") {
    World world({1, false});
    Listener listener(world.context);
    Target impossible = tcp_target(listener.port());
    HttpCheck check;
    check.host = "127.0.0.1";
    check.port = listener.port();
    check.headers = {{"X-Long", std::string(70'000, 'x')}};  // more than Beast takes
    impossible.readiness->check = check;
    world.prober->set_targets({{{"bad", "main"}, impossible}});
    CHECK(world.becomes([&] { return world.errors >= 2; }));
    CHECK_THAT(world.error, Catch::Contains("cannot be made"));
    CHECK(world.prober->in_flight() == 0);
    CHECK(world.prober->verdict({"bad", "main"}) == Verdict::unknown);
    world.prober->set_targets_of("good", {{{"good", "main"}, tcp_target(listener.port())}});
    CHECK(world.becomes([&] { return world.reported("good ready"); }));
}

TEST_CASE("whatever a check throws is an answer, and its place is given back") {
    struct Row {
        std::function<void()> raise;
        const char* words;
    };
    const auto row = GENERATE(values<Row>({{[] { throw std::runtime_error("no luck"); }, "cannot be made: no luck"},
                                           {[] { throw std::bad_alloc(); }, "cannot be made: std::bad_alloc"},
                                           {[] { throw 7; }, "something unknown"}}));
    const bool before_it_waits = GENERATE(true, false);
    int broken = 1;
    ProberLimits limits;
    limits.in_flight = 1;
    limits.perform = [&](const Check&, std::chrono::milliseconds) -> asio::awaitable<Outcome> {
        if (!before_it_waits)
            co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
        if (broken > 0) {
            --broken;
            row.raise();
        }
        co_return Outcome{Answer::success, "", {}};
    };
    World world(limits);
    world.prober->set_targets({{{"p", "main"}, tcp_target(1)}});
    CHECK(world.becomes([&] { return world.reported("p ready"); }));
    CHECK(world.errors == 1);
    CHECK_THAT(world.error, Catch::Contains(row.words));
    CHECK(world.prober->in_flight() == 0);
}

TEST_CASE("an error is not repeated within its tick (T4)") {
    std::vector<std::chrono::steady_clock::time_point> asked;
    ProberLimits limits;
    limits.perform = [&](const Check&, std::chrono::milliseconds) -> asio::awaitable<Outcome> {
        asked.push_back(std::chrono::steady_clock::now());
        co_return Outcome{Answer::error, "no luck", {}};
    };
    World world(limits);
    world.prober->set_targets({{{"p", "main"}, tcp_target(1)}});
    CHECK(world.becomes([&] { return asked.size() >= 3; }));
    CHECK(asked.at(1) - asked.at(0) > 900ms);
    CHECK(asked.at(2) - asked.at(1) > 500ms);
}

TEST_CASE("what throws outside of a check ends the loop, not a probe alone") {
    asio::io_context context;
    Listener listener(context);
    Prober prober(
        context.get_executor(), {}, [](const Report&) {}, [](const Attempt&) { throw std::logic_error("bug"); });
    prober.set_targets({{{"p", "main"}, tcp_target(listener.port())}});
    CHECK_THROWS_WITH(context.run_for(testing::patience(10s)), "bug");
}

TEST_CASE("a prober that ends in the middle of attempts leaves nothing behind") {
    asio::io_context context;
    std::size_t reports = 0;
    {
        Prober prober(context.get_executor(), {}, [&](const Report&) { ++reports; }, [](const Attempt&) {});
        Listener listener(context);
        std::map<Subject, Target> targets;
        for (int i = 0; i < 20; ++i)
            targets[{"p" + std::to_string(i), "main"}] = tcp_target(listener.port());
        prober.set_targets(targets);
        context.run_for(300ms);
    }
    const std::size_t before = reports;
    context.run_for(1500ms);
    CHECK(reports == before);
}

TEST_CASE("few commands run at the same time, and other probes do not wait for them") {
    std::size_t commands = 0;
    std::size_t most_commands = 0;
    std::size_t others = 0;
    ProberLimits limits;
    limits.commands = 2;
    limits.perform = [&](Check check, std::chrono::milliseconds) -> asio::awaitable<Outcome> {
        if (!std::holds_alternative<ExecCheck>(check)) {
            ++others;
            co_return Outcome{Answer::success, "", {}};
        }
        most_commands = std::max(most_commands, ++commands);
        asio::steady_timer slow(co_await asio::this_coro::executor, 300ms);
        co_await slow.async_wait(asio::use_awaitable);
        --commands;
        co_return Outcome{Answer::success, "", {}};
    };
    World world(limits);
    std::map<Subject, Target> targets;
    for (const char* pod : {"a", "b", "c", "d", "e", "f"}) {
        targets[{pod, "main"}] = tcp_target(1);
        targets[{pod, "main"}].readiness->check = ExecCheck{"/run/cri.sock", {}, {"true"}};
    }
    targets[{"tcp", "main"}] = tcp_target(1);
    world.prober->set_targets(targets);
    CHECK(world.becomes([&] { return world.reported("tcp ready"); }));
    CHECK(world.becomes([&] {
        for (const auto& [subject, target] : targets)
            if (!world.reported(subject.pod + " ready"))
                return false;
        return true;
    }));
    CHECK(most_commands == 2);
    CHECK(others >= 1);
}
