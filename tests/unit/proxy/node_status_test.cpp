// What the running node says of itself.
#include "proxy/serve/node_status.hpp"

#include <catch2/catch.hpp>

#include "engine_world.hpp"
#include "tests/support/fake_kernel.hpp"

using namespace proxy;
using namespace std::chrono_literals;

namespace {

const Time now = Time{} + 1h;
const auto wall = std::chrono::system_clock::time_point(1'789'000'000s);

struct FakeSource : api::Source {
    bool is_cluster = false;
    api::Condition present;

    boost::asio::awaitable<void> run(api::OnTransaction) override { co_return; }
    std::string name() const override { return "here"; }
    std::string waiting_for() const override { return "the first list"; }
    bool of_cluster() const override { return is_cluster; }
    api::Condition condition() const override { return present; }
};

struct Node {
    build::World world{true};
    testing::FakeKernel kernel;
    Reconciler reconciler{kernel, world.engine.desired().wishes()};
    FakeSource source;
    NodeState state{world.engine, reconciler, source, {}, false, now - 90s};

    void program() {
        while (reconciler.step(now, 1000).handled > 0 || !reconciler.idle()) {
        }
    }
};

}  // namespace

TEST_CASE("before the first complete objects the status says what it waits for, and counts what is recorded as ours") {
    Node node;
    node.program();
    const StatusView view = status_of(node.state, now, wall);
    CHECK_FALSE(view.ready);
    CHECK(view.waiting_for == "the first list");
    CHECK(view.source == "here");
    CHECK(view.uptime_s == 90);
    CHECK(view.last_sync_age_s < 0);
    CHECK(view.kernel.virtual_servers == 0);
}

TEST_CASE("once it is ready, the status counts what the kernel has and what is wanted") {
    Node node;
    node.world.apply(build::transaction({build::service("web", "10.96.0.5")}, true));
    node.program();
    node.state.ready = true;
    node.state.health.last_sync = wall - 5s;
    node.state.drift_repairs = 3;
    const StatusView view = status_of(node.state, now, wall);
    CHECK(view.ready);
    CHECK(view.waiting_for.empty());
    CHECK(view.kernel.virtual_servers == node.reconciler.mirror().virtual_servers.size());
    CHECK(view.kernel.virtual_servers_wanted == node.world.engine.desired().wishes().virtual_servers().size());
    CHECK(view.objects.at("Service") == 1);
    CHECK(view.last_sync_age_s == 5);
    CHECK(view.drift_repairs == 3);
    CHECK(view.healthy);
    CHECK(view.changes_pending == 0);
}

TEST_CASE("pods and ranges are counted where podferry resolves and allocates, and not of a cluster") {
    for (const bool of_cluster : {false, true}) {
        Node node;
        node.source.is_cluster = of_cluster;
        const StatusView view = status_of(node.state, now, wall);
        CHECK(view.objects.contains("Pod") == !of_cluster);
        CHECK(view.ranges.empty() == of_cluster);
    }
}

TEST_CASE("the status has all problems, and the gauges count as many") {
    Node node;
    auto transaction = build::transaction({build::service("web", "10.96.0.5")}, true);
    transaction.problems = {{{"web.yaml", 3}, "", "cannot be parsed", false}};
    node.world.apply(std::move(transaction));
    node.state.problems = {{{}, "", "the kernel cannot be programmed", false}, {{}, "", "sysctl is read-only", true}};
    node.source.present.ailments = {{{}, "", "not up to date", true}};
    const StatusView view = status_of(node.state, now, wall);
    std::size_t errors = 0;
    for (const api::Problem& problem : view.problems)
        errors += problem.warning ? 0 : 1;
    Metrics metrics;
    set_gauges(metrics, node.state, now, wall);
    CHECK(view.problems.size() == 4);
    CHECK(metrics.problems.Add({{"severity", "error"}}).Value() == static_cast<double>(errors));
    CHECK(metrics.problems.Add({{"severity", "warning"}}).Value() ==
          static_cast<double>(view.problems.size() - errors));
    CHECK(metrics.source_problems.Value() == 1);
}

TEST_CASE("the gauges say how far the source falls behind") {
    Node node;
    node.source.is_cluster = true;
    node.source.present.staleness = {{"services", 12.5}};
    node.source.present.held = 7;
    Metrics metrics;
    set_gauges(metrics, node.state, now, wall);
    CHECK(metrics.api_stale_seconds.Add({{"resource", "services"}}).Value() == 12.5);
    CHECK(metrics.api_held_removals.Value() == 7);
}
