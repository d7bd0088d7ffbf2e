// What a Service costs and may cost: bounds of front ends, planning in slices, and that its cost is linear.
#include <catch2/catch.hpp>

#include "engine_world.hpp"
#include "proxy/engine/reconciler.hpp"
#include "tests/support/fake_kernel.hpp"

using namespace proxy;

namespace {

/// A Service with its addresses and slice, as from an API server.
struct Given {
    api::Service service;
    api::EndpointSlice slice;

    Given(const std::string& name, const std::string& cluster_ip, int created, std::uint16_t ports,
          std::uint32_t addresses, std::uint32_t endpoints) {
        service = build::service(name, cluster_ip);
        service.created = std::chrono::sys_seconds(std::chrono::seconds(created));
        service.selector.clear();
        service.ports.clear();
        slice.name = {"shop", name + "-1"};
        slice.service = name;
        for (std::uint16_t i = 0; i < ports; ++i) {
            const std::string port = "p" + std::to_string(i);
            service.ports.push_back({port, api::Protocol::tcp, static_cast<std::uint16_t>(80 + i), {}, 0});
            slice.ports.push_back({port, api::Protocol::tcp, static_cast<std::uint16_t>(8080 + i)});
        }
        for (std::uint32_t i = 0; i < addresses; ++i)
            service.external_ips.emplace_back(base::Address::v4(0xcb007100U + i));
        for (std::uint32_t i = 0; i < endpoints; ++i) {
            api::Endpoint endpoint;
            endpoint.address = base::Address::v4(0x0a010000U + i);
            endpoint.node_name = std::string(i % 2 == 0 ? "n1" : "n2");
            slice.endpoints.push_back(endpoint);
        }
    }
    std::vector<api::Object> objects() const { return {service, slice}; }
};

/// An engine on a kernel, whose mirror counts what planning looks up.
struct Counting {
    Config config = build::World::config();
    testing::FakeKernel kernel;
    std::optional<Engine> engine;
    std::optional<Reconciler> reconciler;
    std::vector<std::string> written;

    explicit Counting(const Config& changed = build::World::config()) : config(changed) {
        engine.emplace(config, build::World::facts(), Choices{}, true);
        reconciler.emplace(kernel, engine->desired().wishes());
    }
    void apply(std::vector<api::Object> objects, const std::vector<std::string>& removed = {}) {
        auto transaction = build::transaction(std::move(objects));
        for (const std::string& name : removed)
            transaction.removals.push_back({api::Kind::service, {"shop", name}});
        engine->apply(std::move(transaction));
    }
    /// As the node's loop does; in how many slices.
    std::size_t sync(std::size_t slice) {
        std::size_t slices = 1;
        while (engine->plan_slice(reconciler->mirror(), slice))
            ++slices;
        const auto note = [this](const netlink::Change& change) { written.push_back(netlink::to_string(change)); };
        while (reconciler->step(Time{}, 50, note).applied > 0 || !reconciler->idle()) {
        }
        engine->settle_health_ports(reconciler->mirror(), false);
        return slices;
    }
    std::string problem(const std::string& name) const {
        const auto& found = engine->planner().ledger().findings.problems().of({"shop", name});
        return found.empty() ? "" : found.at(0);
    }
    std::size_t servers(const std::string& name) const { return engine->desired().servers_of({"shop", name}).size(); }
};

constexpr std::size_t everything = 1'000'000;

/// How often the kernel's mirror is asked while a Service of so many ports and endpoints lives.
std::uint64_t asked_for(std::uint16_t ports, std::uint32_t endpoints) {
    Counting world;
    Given given("web", "10.96.0.5", 200, ports, 4, endpoints);
    given.service.type = api::ServiceType::load_balancer;
    given.service.external_traffic_policy = api::TrafficPolicy::local;
    given.service.health_check_node_port = 31000;
    given.service.client_ip_affinity = std::chrono::seconds(60);
    given.service.annotations["podferry.io/scheduler"] = "wrr";
    given.service.annotations["podferry.io/slow-start"] = "30s";
    world.apply(Given("rival", "10.96.0.6", 100, 1, 1, 1).objects());  // has one of its front ends
    world.apply(given.objects());
    world.sync(everything);
    given.slice.endpoints.erase(given.slice.endpoints.begin(), given.slice.endpoints.begin() + endpoints / 2);
    given.slice.endpoints.back().ready = false;
    world.apply(given.objects());
    world.sync(everything);
    given.service.external_traffic_policy = api::TrafficPolicy::cluster;
    world.apply(given.objects());
    world.sync(everything);
    world.apply({}, {"web", "rival"});
    world.sync(everything);
    CHECK(world.engine->desired().wishes().virtual_servers().size() == 0);
    return world.reconciler->mirror().look_ups();
}

}  // namespace

TEST_CASE("the cost of a Service is linear in what it becomes") {
    const std::uint64_t small = asked_for(20, 20);
    CHECK(small > 20 * 20);
    CHECK(asked_for(40, 20) < small * 21 / 10);
    CHECK(asked_for(20, 40) < small * 21 / 10);
}

TEST_CASE("a Service that asks for too much has some, with a problem, and others are as before") {
    Config config = build::World::config();
    config.front_ends_per_service = 16;
    Counting world(config);
    world.apply(Given("web", "10.96.0.6", 300, 2, 2, 2).objects());
    world.apply(Given("greedy", "10.96.0.5", 100, 4, 5, 1).objects());
    world.sync(everything);
    CHECK(world.servers("greedy") == 16);
    CHECK(world.problem("greedy").find("24 front ends (ports x addresses) are asked for and 16 are served") !=
          std::string::npos);
    CHECK(world.engine->desired().find({build::address("10.96.0.5"), netlink::Protocol::tcp, 83}) != nullptr);
    CHECK(world.problem("web").empty());
    world.apply(Given("greedy", "10.96.0.5", 100, 4, 3, 1).objects());
    world.sync(everything);
    CHECK(world.servers("greedy") == 16);
    CHECK(world.problem("greedy").empty());
}

TEST_CASE("when the node is full the youngest wait, and are planned again when there is room") {
    Config config = build::World::config();
    config.front_ends_per_node = 1024;  // a quarter for what goes beyond 64
    Counting world(config);
    const Given old("old", "10.96.0.5", 100, 10, 19, 1);
    const Given younger("younger", "10.96.0.6", 200, 10, 19, 1);
    Given youngest("youngest", "10.96.0.7", 300, 3, 0, 1);
    world.apply(younger.objects());
    world.apply(youngest.objects());
    world.sync(everything);
    CHECK(world.servers("younger") == 200);
    // An older one comes later: what it wants it takes from the youngest that has more than most.
    auto rival = old;
    for (auto& address : rival.service.external_ips)
        address = base::Address::v4(address.number() + 0x10000);
    world.apply(rival.objects());
    world.sync(everything);
    CHECK(world.servers("old") == 200);
    CHECK(world.servers("younger") == 64 + 256 - 136);
    CHECK(world.problem("younger").find("this node has no room for more, and the others wait for it") !=
          std::string::npos);
    CHECK(world.servers("youngest") == 3);
    CHECK(world.problem("youngest").empty());
    world.apply({}, {"old"});
    world.sync(everything);
    CHECK(world.servers("younger") == 200);
    CHECK(world.problem("younger").empty());
}

TEST_CASE("planned in slices, the kernel gets the same as in one go") {
    const auto fill = [](Counting& world, std::size_t slice) {
        for (int i = 1; i < 30; ++i)
            world.apply(Given("s" + std::to_string(i), "10.96.0." + std::to_string(i), 100 + i % 3, 3, 2, 4).objects());
        const std::size_t slices = world.sync(slice);
        world.apply({}, {"s3", "s6", "s9"});
        world.sync(slice);
        return slices;
    };
    Counting whole;
    CHECK(fill(whole, everything) == 1);
    Counting sliced;
    CHECK(fill(sliced, 100) > 10);
    CHECK(sliced.kernel.state() == whole.kernel.state());
    CHECK(sliced.engine->desired().claims().conflicts() == whole.engine->desired().claims().conflicts());
    CHECK(sliced.reconciler->idle());
}

TEST_CASE("a Service that changes or goes while it is planned is planned again") {
    const int steps = GENERATE(1, 2, 3, 4, 5);
    const bool goes = GENERATE(false, true);
    CAPTURE(steps, goes);
    const Given large("web", "10.96.0.5", 100, 4, 3, 6);
    const Given small("web", "10.96.0.5", 100, 1, 2, 2);
    Counting world;
    world.apply(large.objects());
    for (int i = 1; i < steps; ++i)
        CHECK(world.engine->plan_slice(world.reconciler->mirror(), 1));
    if (goes)
        world.apply({}, {"web"});
    else
        world.apply(small.objects());
    while (world.engine->planner().is_dirty())
        world.sync(1);
    Counting direct;
    if (!goes)
        direct.apply(small.objects());
    direct.sync(everything);
    // A plan that was under way is finished, so that a Service that changes all the time holds up nobody; what of it is
    // not wanted any more drains.
    netlink::KernelState kernel = world.kernel.state();
    for (auto& [server, state] : kernel.virtual_servers)
        std::erase_if(state.real_servers, [](const auto& real) { return real.second == 0; });
    CHECK(kernel == direct.kernel.state());
    CHECK(world.engine->desired().wishes().virtual_servers().size() ==
          direct.engine->desired().wishes().virtual_servers().size());
}

TEST_CASE("one Service is planned in several slices, and the kernel gets none of it before") {
    Counting world;
    world.apply(Given("web", "10.96.0.5", 100, 10, 10, 8).objects());
    std::size_t slices = 0;
    while (world.engine->plan_slice(world.reconciler->mirror(), 50)) {
        ++slices;
        CHECK(world.engine->planner().is_dirty());
    }
    CHECK(slices >= 4);
    CHECK(world.servers("web") == 110);
}

TEST_CASE("a front end that goes from one Service to another in one transaction stays, whatever the slices") {
    const bool downwards = GENERATE(false, true);
    const std::string from = downwards ? "z" : "a";
    const std::string to = downwards ? "a" : "z";
    Counting world;
    std::vector<api::Object> others;
    for (int i = 10; i < 30; ++i)
        for (api::Object& object : Given("m" + std::to_string(i), "10.96.0." + std::to_string(i), 1, 3, 0, 4).objects())
            others.push_back(std::move(object));
    world.apply(others);
    world.apply(Given(from, "10.96.0.1", 1, 1, 1, 2).objects());
    world.sync(1);
    world.written.clear();
    for (api::Object& object : Given(to, "10.96.0.2", 2, 1, 1, 4).objects())
        others.push_back(std::move(object));
    for (api::Object& object : others)
        if (auto* slice = std::get_if<api::EndpointSlice>(&object))
            slice->endpoints.pop_back();
    world.apply(others, {from});
    CHECK(world.sync(1) > 20);
    for (const std::string& change : world.written) {
        CHECK(change.find("delete-service 203.0.113.0") == std::string::npos);
        CHECK(change.find("delete-element external 203.0.113.0") == std::string::npos);
    }
    CHECK(world.kernel.state().virtual_servers.contains({build::address("203.0.113.0"), netlink::Protocol::tcp, 80}));
}

TEST_CASE("an external IP that is another Service's ClusterIP gets nothing, however old its Service") {
    Counting world;
    Given thief("thief", "10.96.0.6", 100, 1, 0, 3);
    thief.service.external_ips = {build::address("10.96.0.5")};
    world.apply(thief.objects());
    world.apply(Given("victim", "10.96.0.5", 200, 1, 0, 2).objects());
    world.sync(everything);
    const netlink::VirtualServer front{build::address("10.96.0.5"), netlink::Protocol::tcp, 80};
    CHECK(world.engine->desired().owner(front)->name == "victim");
    CHECK(world.kernel.state().virtual_servers.at(front).real_servers.size() == 2);
    CHECK(world.engine->desired().claims().conflicts().empty());
    CHECK(world.problem("thief").find("spec.externalIPs: 10.96.0.5 is ") != std::string::npos);
}

TEST_CASE("external addresses that a Service may not have anyway are not counted") {
    Config config = build::World::config();
    config.front_ends_per_service = 16;
    Counting world(config);
    Given web("web", "10.96.0.5", 100, 4, 3, 1);
    for (int i = 1; i < 10; ++i)
        web.service.external_ips.insert(web.service.external_ips.begin(),
                                        build::address("127.0.0." + std::to_string(i)));
    world.apply(web.objects());
    world.sync(everything);
    CHECK(world.servers("web") == 16);
    for (const auto& problem : plan_problems_of({"shop", "web"}, *world.engine))
        CHECK(problem.message.find("are asked for") == std::string::npos);
}
