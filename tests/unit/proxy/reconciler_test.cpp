// Reconciliation against a kernel that is as strict as the real one.
#include "proxy/engine/reconciler.hpp"

#include <algorithm>

#include <catch2/catch.hpp>
#include <ctime>

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
    Reconciler reconciler{kernel, desired.wishes()};
    Time now{};
    bool audit_wanted = false;

    /// Steps until nothing is left to do now; the number of changes that the kernel took.
    std::size_t settle() {
        std::size_t applied = 0;
        for (int i = 0; i < 100'000; ++i) {
            const StepResult result = reconciler.step(now, 3);
            applied += result.applied;
            audit_wanted = audit_wanted || result.audit_wanted;
            if (result.handled == 0 && reconciler.idle())
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

TEST_CASE("what goes in slices goes in the same safe order: clients are led away first") {
    const std::size_t size = GENERATE(1U, 4U, 1000U);
    netlink::KernelState state;
    for (std::uint16_t port = 80; port < 90; ++port) {
        const netlink::VirtualServer server{web.address, netlink::Protocol::tcp, port};
        state.virtual_servers[server] = {{}, {{pod1, 1}}};
        state.elements.insert({netlink::Set::served, server.address, server.protocol, port});
        state.elements.insert({netlink::Set::external, server.address, server.protocol, port});
    }
    state.routes.insert({web.address});
    const WishList nothing;
    std::vector<std::string> done;
    Sweep sweep;
    while (const auto slice = sweep.next(nothing, state, size)) {
        CHECK(slice->size() <= size);
        for (const netlink::Change& change : changes_for(*slice, nothing, state)) {
            netlink::advance(state, change);
            const auto* element = std::get_if<netlink::DeleteElement>(&change);
            done.emplace_back(element == nullptr                               ? netlink::operation(change)
                              : element->element.set == netlink::Set::external ? "captured"
                                                                               : "judged");
        }
    }
    done.erase(std::unique(done.begin(), done.end()), done.end());
    CHECK(done == std::vector<std::string>{"captured", "delete-route", "delete-service", "judged"});
    CHECK(state.virtual_servers.empty());
    CHECK(state.routes.empty());
    CHECK(state.elements.empty());
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

namespace {

const netlink::RealServer broadcast{build::address("10.1.255.255"), 8080};

/// The kernel says `error` to all changes of that real server.
auto refusing(const netlink::RealServer& real, int error) {
    return [real, error](const netlink::Change& change) {
        const ObjectKey changed = key_of(change);
        const auto* key = std::get_if<ServerKey>(&changed);
        return key != nullptr && key->real == real ? error : 0;
    };
}

}  // namespace

TEST_CASE("a refused real server costs nothing beside it, and no audit") {
    World world;
    world.kernel.refuse(refusing(broadcast, EINVAL));
    world.desired.replace({"shop", "web"}, plan_of(web, {{pod1, 1}, {broadcast, 1}}));
    world.settle();
    CHECK(world.kernel.state().virtual_servers.at(web).real_servers == netlink::RealServers{{pod1, 1}});
    CHECK(world.kernel.state().routes.contains({web.address}));
    const std::size_t tried = world.kernel.tried;
    world.desired.replace({"shop", "web"}, plan_of(web, {{pod2, 1}, {broadcast, 1}}));  // the pod is replaced
    CHECK(world.settle() == 2);
    CHECK(world.kernel.tried == tried + 2);  // what is refused waits
    CHECK(world.kernel.state().virtual_servers.at(web).real_servers == netlink::RealServers{{pod2, 1}});
    CHECK_FALSE(world.audit_wanted);
    CHECK(world.reconciler.refusals().size() == 1);
    CHECK(*world.reconciler.next_retry() == world.now + 100ms);
    world.desired.replace({"shop", "web"}, plan_of(web, {{pod2, 1}}));  // nobody wants it any more
    world.settle();
    CHECK(world.reconciler.refusals().size() == 0);
    CHECK(world.reconciler.changes_pending() == 0);
}

TEST_CASE("which refusals ask for an audit, and that the first one of an object does alone") {
    const netlink::Change add_server = netlink::AddVirtualServer{web, {}};
    const netlink::Change add_real = netlink::AddRealServer{web, pod1, 1};
    const netlink::Change add_route = netlink::AddRoute{{web.address}};
    const auto of = [](const netlink::Change& change, int error, int failures = 1) {
        return doubts_the_mirror({change, {error, std::system_category()}, failures});
    };
    CHECK(of(add_server, EEXIST));
    CHECK(of(add_real, EEXIST));
    CHECK(of(add_real, ESRCH));
    CHECK(of(netlink::EditRealServer{web, pod1, 1}, ENOENT));
    CHECK(of(netlink::AddElement{}, ENOENT));
    CHECK_FALSE(of(add_server, ENOENT));  // its scheduler
    CHECK_FALSE(of(netlink::EditVirtualServer{web, {}}, ENOENT));
    for (const int error : {EINVAL, EPERM, EACCES, EAFNOSUPPORT, ENOMEM, ENOBUFS, EPROTONOSUPPORT, EMFILE})
        for (const netlink::Change& change : {add_server, add_real, add_route})
            CHECK_FALSE(of(change, error));
    CHECK_FALSE(of(add_route, EEXIST, 2));  // an audit has looked
}

TEST_CASE("what is to be removed and is not there is removed, and an audit looks at the rest") {
    World world;
    world.want_web();
    world.kernel.state().virtual_servers.at(web).real_servers.erase(pod2);
    world.kernel.state().routes.clear();
    world.desired.remove({"shop", "web"});
    world.settle();
    CHECK(world.audit_wanted);
    CHECK(world.reconciler.refusals().size() == 0);
    CHECK(world.reconciler.mirror() == netlink::KernelState{});
}

TEST_CASE("a refused virtual server is one refusal, whatever its real servers, and comes with them when it is taken") {
    World world;
    world.kernel.refuse(web, std::errc::not_enough_memory);
    world.desired.replace({"shop", "web"}, plan_of(web, {{pod1, 1}, {pod2, 1}}));
    world.settle();
    CHECK(world.reconciler.refusals().size() == 1);
    const std::size_t tried = world.kernel.tried;
    world.desired.replace({"shop", "web"}, plan_of(web, {{pod2, 1}}));
    world.settle();
    CHECK(world.kernel.tried == tried);
    world.kernel.refuse_nothing();
    world.reconciler.retry_all(world.now);
    world.settle();
    CHECK(world.kernel.state().virtual_servers.at(web).real_servers == netlink::RealServers{{pod2, 1}});
    CHECK(world.reconciler.idle());
    CHECK_FALSE(world.reconciler.next_retry());
}

TEST_CASE("another change of a refused object is tried at once") {
    World world;
    world.kernel.refuse([](const netlink::Change& change) {
        const auto* add = std::get_if<netlink::AddVirtualServer>(&change);
        return add != nullptr && add->settings.scheduler == "mh" ? ENOENT : 0;
    });
    ServicePlan plan = plan_of(web, {{pod1, 1}});
    plan.virtual_servers[0].state.settings.scheduler = "mh";
    world.desired.replace({"shop", "web"}, plan);
    world.settle();
    plan.virtual_servers[0].state.settings.scheduler = "rr";
    world.desired.replace({"shop", "web"}, plan);
    world.settle();
    CHECK(world.kernel.state().virtual_servers.at(web).real_servers.size() == 1);
    CHECK(world.reconciler.refusals().size() == 0);
}

namespace {

/// The processor time of a thousand steps, each with one change.
std::chrono::nanoseconds processor_time_of_steps(World& world) {
    const auto now = [] {
        timespec time{};
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
        return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
    };
    const auto start = now();
    for (int i = 0; i < 1000; ++i) {
        world.desired.replace({"shop", "web"}, plan_of(web, {{pod1, i + 1}}));
        world.reconciler.step(world.now, 4096);
        world.reconciler.next_retry();
    }
    return now() - start;
}

}  // namespace

TEST_CASE("ten thousand refused objects cost a step nothing, and ten lines") {
    World world;
    const auto front_end = [](std::uint32_t n) {
        return netlink::VirtualServer{base::Address::v4(0x0a610000 + n), netlink::Protocol::tcp, 80};
    };
    world.kernel.refuse([](const netlink::Change& change) { return change.index() == 2 ? ENOMEM : 0; });
    for (std::uint32_t n = 1; n <= 10'000; ++n)
        world.desired.replace({"shop", std::to_string(n)}, plan_of(front_end(n), {{pod1, 1}}));
    while (world.reconciler.step(world.now, 4096).handled > 0 || !world.reconciler.idle()) {
    }
    CHECK(world.reconciler.refusals().virtual_servers() == 10'000);
    CHECK(world.reconciler.mostly_refused());
    const auto problems =
        problems_of(world.reconciler.refusals(), world.desired, [](const auto&) { return api::Origin{}; });
    REQUIRE(problems.size() == 11);
    CHECK(problems[0].object == "Service shop/1");
    CHECK(
        problems[0].message ==
        "the kernel refuses add-service 10.97.0.1:80/tcp rr: Cannot allocate memory; retrying with back-off, at least "
        "every 30 s");
    CHECK_THAT(problems[10].message, Catch::Contains("at least 8192 other objects"));
    world.kernel.refuse_nothing();
    World all_is_well;
    const auto least = processor_time_of_steps(all_is_well);
    CHECK(processor_time_of_steps(world) <
          20 * least);  // a scan of all would be ten million entries: 300 times as long
    CHECK(world.reconciler.refusals().size() == 10'000);
    world.now += 100ms;
    world.settle();
    CHECK(world.reconciler.refusals().size() == 0);
    CHECK(world.kernel.state().virtual_servers.size() == 10'001);
    CHECK_FALSE(world.reconciler.mostly_refused());
}

TEST_CASE("virtual servers are judged by themselves: elements and routes that are there are no excuse") {
    World world;
    world.want_web();
    CHECK_FALSE(world.reconciler.mostly_refused());
    world.kernel.refuse([](const netlink::Change& change) { return change.index() == 2 ? EPROTONOSUPPORT : 0; });
    world.kernel.state().virtual_servers.clear();
    world.audit();
    world.settle();
    CHECK(world.reconciler.mostly_refused());
}

TEST_CASE("what a failed step has done is not called drift, and what it has not done is done after an audit") {
    World world;
    world.desired.replace({"shop", "other"}, plan_of(other, {{pod1, 1}}));
    world.settle();
    world.kernel.fails_after = GENERATE(0, 1, 2, 3, 4);
    world.desired.replace({"shop", "web"}, plan_of(web, {{pod1, 1}, {pod2, 1}}));
    CHECK_THROWS_AS(world.reconciler.step(world.now, 1000), std::system_error);
    world.kernel.state().virtual_servers.at(other).real_servers.erase(pod1);  // somebody else, meanwhile
    const Drift drift = world.audit();
    CHECK(drift.real_servers == 1);
    CHECK(drift.total() == 1);
    world.settle();
    CHECK(world.kernel.state().virtual_servers.at(web).real_servers.size() == 2);
    CHECK(world.kernel.state().virtual_servers.at(other).real_servers.size() == 1);
    CHECK(world.kernel.state().routes.size() == 2);
    CHECK(world.reconciler.refusals().size() == 0);
    world.kernel.state().virtual_servers.at(web).real_servers.erase(pod1);
    CHECK(world.audit().total() == 1);  // from then on it is
}

TEST_CASE("routes that the kernel drops when the host's addresses change are no drift") {
    const Drift found{1, 2, 3, 4};
    CHECK(without_followed(found, false).total() == 10);
    CHECK(without_followed(found, true).total() == 7);
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

TEST_CASE("many elements are given in batches, but what opens a front end to some is not torn apart") {
    World world;
    ServicePlan plan = plan_of(web, {{pod1, 1}});
    for (std::uint16_t port = 1; port <= 20; ++port)
        plan.elements.push_back({netlink::Set::masquerade, web.address, netlink::Protocol::tcp, port});
    netlink::Element allowed{netlink::Set::firewalled, web.address, netlink::Protocol::tcp, 80};
    plan.elements.push_back(allowed);
    allowed.set = netlink::Set::allowed;
    for (std::uint8_t i = 0; i < 9; ++i) {
        allowed.sources = std::make_shared<base::Prefix>(build::address("10." + std::to_string(i) + ".0.0"), 16);
        plan.elements.push_back(allowed);
    }
    world.desired.replace({"shop", "web"}, plan);
    std::vector<std::size_t> batches;
    std::size_t with_ranges = 0;
    for (int i = 0; i < 100 && !(i > 0 && world.reconciler.idle()); ++i) {
        std::size_t ranges = 0;
        const auto note = [&](const netlink::Change& change) {
            const auto* added = std::get_if<netlink::AddElement>(&change);
            ranges += added != nullptr && added->element.set >= netlink::Set::firewalled ? 1 : 0;
        };
        batches.push_back(world.reconciler.step(world.now, 3, note).applied);
        with_ranges += ranges > 0 ? 1 : 0;
    }
    CHECK(std::count(batches.begin(), batches.end(), 3U) >= 7);
    CHECK(with_ranges == 1);
    CHECK(world.kernel.state().elements.size() == 31);
    // Other ranges: what goes and what comes is one transaction.
    plan.elements.back().sources = std::make_shared<base::Prefix>(build::address("10.77.0.0"), 16);
    for (std::uint16_t port = 21; port <= 30; ++port)
        plan.elements.push_back({netlink::Set::masquerade, web.address, netlink::Protocol::tcp, port});
    world.desired.replace({"shop", "web"}, plan);
    std::size_t largest = 0;
    for (int i = 0; i < 100 && !(i > 0 && world.reconciler.idle()); ++i)
        largest = std::max(largest, world.reconciler.step(world.now, 3).applied);
    CHECK(largest == 12);
}

TEST_CASE("slices of what is touched are compared and given one after the other") {
    World world;
    world.desired.replace({"shop", "web"}, plan_of(web, {{pod1, 1}}));
    world.desired.wishes().end_slice();
    world.desired.replace({"shop", "web"}, plan_of(web, {{pod1, 1}}));  // touches nothing
    world.desired.wishes().end_slice();
    world.desired.replace({"shop", "other"}, plan_of(other, {{pod1, 1}}));
    world.desired.wishes().end_slice();
    CHECK(world.reconciler.changes_pending() == 6);
    CHECK(world.reconciler.step(world.now, 100).applied == 4);
    CHECK_FALSE(world.reconciler.idle());
    CHECK(world.reconciler.step(world.now, 100).applied == 4);
    CHECK(world.reconciler.idle());
    CHECK(world.kernel.state().virtual_servers.size() == 2);
}
