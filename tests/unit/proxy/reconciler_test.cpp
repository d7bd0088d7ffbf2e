// Reconciliation against a kernel that is as strict as the real one.
#include "proxy/reconciler.hpp"

#include <catch2/catch.hpp>

#include "build.hpp"
#include "tests/support/fake_kernel.hpp"
#include "tests/support/states.hpp"

using namespace proxy;
using namespace std::chrono_literals;

namespace {

const netlink::VirtualServer web{build::address("10.96.0.5"), netlink::Protocol::tcp, 80};
const netlink::VirtualServer other{build::address("10.96.0.6"), netlink::Protocol::tcp, 80};
const netlink::VirtualServer foreign{build::address("10.200.0.1"), netlink::Protocol::tcp, 80};
const netlink::RealServer pod1{build::address("10.1.0.11"), 8080};
const netlink::RealServer pod2{build::address("10.1.0.12"), 8080};

ServicePlan plan_of(const netlink::VirtualServer& server, netlink::RealServers reals) {
    ServicePlan plan;
    plan.virtual_servers.push_back({server, {{}, std::move(reals)}});
    plan.routes.push_back({server.address});
    plan.elements.push_back({netlink::Set::served, server.address, server.protocol, server.port});
    return plan;
}

struct World {
    testing::FakeKernel kernel;
    Desired desired;
    Reconciler reconciler{kernel, desired};
    Time now{};

    /// Steps until nothing is left to do now; the number of changes that the kernel took.
    std::size_t settle() {
        std::size_t applied = 0;
        for (int i = 0; i < 100; ++i) {
            const StepResult result = reconciler.step(now, 3);
            applied += result.applied;
            if (result.applied == 0)
                return applied;
        }
        FAIL("does not settle");
        return applied;
    }
    Drift audit() {
        Drift drift = reconciler.begin_audit();
        while (reconciler.audit_slice(1, drift)) {
        }
        return drift;
    }
    void want_web() {
        desired.replace({"shop", "web"}, plan_of(web, {{pod1, 1}, {pod2, 1}}));
        settle();
    }
};

}  // namespace

TEST_CASE("what is desired reaches the kernel, and nothing is written twice") {
    World world;
    world.want_web();
    CHECK(world.kernel.state().virtual_servers.at(web).real_servers.size() == 2);
    CHECK(world.kernel.state().routes.contains({web.address}));
    CHECK(world.settle() == 0);
    CHECK(world.audit().total() == 0);
    CHECK(world.settle() == 0);
}

TEST_CASE("a change costs what it touches") {
    World world;
    world.want_web();
    world.desired.replace({"shop", "web"}, plan_of(web, {{pod1, 1}, {pod2, 0}}));
    CHECK(world.settle() == 1);
    CHECK(world.kernel.state().virtual_servers.at(web).real_servers.at(pod2) == 0);
}

TEST_CASE("a restart writes nothing that is there, and removes what is no longer wanted, once") {
    World before;
    before.want_web();
    before.desired.replace({"shop", "other"}, plan_of(other, {{pod1, 1}}));
    before.settle();

    World after;
    after.kernel = before.kernel;
    after.reconciler.adopt();
    after.desired.replace({"shop", "web"}, plan_of(web, {{pod1, 1}, {pod2, 1}}));
    after.reconciler.disown_foreign();
    after.reconciler.sweep();
    CHECK(after.settle() == 3);  // route, virtual server, element of the vanished service
    CHECK_FALSE(after.kernel.state().virtual_servers.contains(other));
    CHECK(after.kernel.state().virtual_servers.at(web).real_servers.size() == 2);
    CHECK(after.audit().total() == 0);
    CHECK(after.settle() == 0);
}

TEST_CASE("until it is swept, nothing is removed but a real server beside others") {
    World before;
    before.want_web();
    before.desired.replace({"shop", "other"}, plan_of(other, {{pod1, 1}}));
    before.settle();

    World after;
    after.kernel = before.kernel;
    after.reconciler.adopt();
    after.desired.replace({"shop", "web"}, plan_of(web, {}));  // its slices are not there
    after.reconciler.disown_foreign();
    CHECK(after.settle() == 0);
    after.desired.replace({"shop", "web"}, plan_of(web, {{pod1, 1}}));
    CHECK(after.settle() == 1);
    CHECK(after.kernel.state().virtual_servers.at(web).real_servers.size() == 1);
    CHECK(after.kernel.state().virtual_servers.contains(other));
    CHECK(after.reconciler.real_servers_present() == 2);
    CHECK(after.reconciler.real_servers_wanted() == 1);
    after.reconciler.sweep();
    CHECK(after.settle() == 3);
    CHECK_FALSE(after.kernel.state().virtual_servers.contains(other));
}

TEST_CASE("until it is swept, the last real server of a virtual server keeps its weight") {
    World before;
    before.want_web();

    World after;
    after.kernel = before.kernel;
    after.reconciler.adopt();
    after.desired.replace({"shop", "web"},
                          plan_of(web, {{pod1, 0}, {pod2, 0}}));  // its slices are not there: they drain
    after.reconciler.disown_foreign();
    CHECK(after.settle() == 0);
    CHECK(after.reconciler.real_servers_wanted() == 0);
    after.desired.drop(web, pod1);
    CHECK(after.settle() == 0);
    after.desired.replace({"shop", "web"}, plan_of(web, {{pod1, 0}, {pod2, 1}}));
    CHECK(after.settle() == 1);
    CHECK(after.kernel.state().virtual_servers.at(web).real_servers.at(pod1) == 0);
    after.desired.replace({"shop", "web"}, plan_of(web, {{pod2, 0}}));
    CHECK(after.settle() == 0);
    after.reconciler.sweep();
    CHECK(after.settle() == 2);
    CHECK(after.kernel.state().virtual_servers.at(web).real_servers == netlink::RealServers{{pod2, 0}});
}

TEST_CASE("foreign virtual servers are left alone, at start and by audits") {
    World world;
    world.kernel.state().virtual_servers[foreign] = {{}, {{pod1, 1}}};
    world.reconciler.adopt();
    world.reconciler.disown_foreign();
    world.reconciler.sweep();
    world.want_web();
    CHECK(world.audit().total() == 0);
    world.settle();
    CHECK(world.kernel.state().virtual_servers.contains(foreign));
}

TEST_CASE("an audit asks for what the kernel's listing does not confirm, and only for that") {
    struct Row {
        bool lists;
        std::set<netlink::VirtualServer> unlisted;
        bool damaged;
        std::size_t asked;
    };
    const auto row = GENERATE(values<Row>({{false, {}, false, 2},
                                           {true, {}, false, 0},
                                           {true, {other}, false, 1},
                                           {true, {}, true, 1},
                                           {true, {web}, true, 1}}));
    World world;
    world.kernel.lists = row.lists;
    world.kernel.unlisted = row.unlisted;
    world.want_web();
    world.desired.replace({"shop", "other"}, plan_of(other, {{pod1, 1}}));
    world.settle();
    world.kernel.state().virtual_servers[foreign] = {{}, {{pod1, 1}}};
    if (row.damaged)
        world.kernel.state().virtual_servers.at(web).real_servers.erase(pod1);
    CAPTURE(row.lists, row.unlisted.size(), row.damaged);
    world.kernel.asked = 0;
    CHECK(world.audit().real_servers == (row.damaged ? 1 : 0));
    CHECK(world.kernel.asked == row.asked);
    world.settle();
    CHECK(world.kernel.state().virtual_servers.at(web).real_servers.size() == 2);
    world.kernel.asked = 0;
    CHECK(world.audit().total() == 0);  // the next one begins anew
    CHECK(world.kernel.asked == (row.lists ? row.unlisted.size() : 2));
}

TEST_CASE("foreign damage is found by an audit and repaired") {
    World world;
    world.kernel.lists = GENERATE(false, true);
    world.want_web();
    struct Damage {
        const char* what;
        void (*inflict)(netlink::KernelState&);
    };
    const auto damage = GENERATE(
        Damage{"virtual server", [](netlink::KernelState& s) { s.virtual_servers.erase(web); }},
        Damage{"real server", [](netlink::KernelState& s) { s.virtual_servers.at(web).real_servers.erase(pod1); }},
        Damage{"weight", [](netlink::KernelState& s) { s.virtual_servers.at(web).real_servers.at(pod1) = 7; }},
        Damage{"scheduler", [](netlink::KernelState& s) { s.virtual_servers.at(web).settings.scheduler = "lc"; }},
        Damage{"added real server",
               [](netlink::KernelState& s) {
                   s.virtual_servers.at(web).real_servers[{build::address("10.9.9.9"), 1}] = 1;
               }},
        Damage{"route", [](netlink::KernelState& s) { s.routes.clear(); }},
        Damage{"elements", [](netlink::KernelState& s) { s.elements.clear(); }});
    CAPTURE(damage.what);
    const netlink::KernelState whole = world.kernel.state();
    damage.inflict(world.kernel.state());
    CHECK(world.audit().total() > 0);
    CHECK(world.settle() > 0);
    CHECK(testing::to_text(world.kernel.state()) == testing::to_text(whole));
}

TEST_CASE("a refused change is retried with back-off and does not hold up others") {
    World world;
    world.kernel.refuse(web, std::errc::not_enough_memory);
    world.desired.replace({"shop", "web"}, plan_of(web, {{pod1, 1}}));
    world.desired.replace({"shop", "other"}, plan_of(other, {{pod1, 1}}));
    world.settle();
    CHECK(world.kernel.state().virtual_servers.contains(other));
    CHECK_FALSE(world.kernel.state().virtual_servers.contains(web));
    REQUIRE(world.reconciler.next_retry());
    CHECK(*world.reconciler.next_retry() == world.now + 100ms);
    CHECK(world.settle() == 0);
    world.now += 100ms;
    world.settle();
    CHECK(*world.reconciler.next_retry() == world.now + 200ms);
    world.kernel.refuse_nothing();
    world.now += 200ms;
    world.settle();
    CHECK(world.kernel.state().virtual_servers.contains(web));
    CHECK_FALSE(world.reconciler.next_retry());
    CHECK(world.reconciler.idle());
}

TEST_CASE("a virtual server that somebody made before us is adopted after the refusal") {
    World world;
    world.reconciler.adopt();
    world.kernel.state().virtual_servers[web] = {{}, {{pod2, 1}}};
    world.want_web();
    world.now += 100ms;
    world.audit();
    world.settle();
    CHECK(world.kernel.state().virtual_servers.at(web).real_servers.size() == 2);
    CHECK(world.reconciler.idle());
}
