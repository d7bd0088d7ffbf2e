// What is probed, what the verdicts come to, and that a change costs what it touches.
#include "proxy/engine/probing.hpp"

#include <catch2/catch.hpp>

#include "engine_world.hpp"

using namespace proxy;
using build::World;
using health::Verdict;

namespace {

const api::ObjectName web_1{"shop", "web-1"};

/// A pod with so many probed containers, "main", "c1", ...
api::Pod pod_of(std::size_t containers) {
    auto pod = build::pod("web", "web-1", "10.1.0.11");
    for (std::size_t i = 1; i < containers; ++i) {
        pod.containers.push_back(pod.containers[0]);
        pod.containers.back().name = "c" + std::to_string(i);
    }
    return pod;
}

health::Subject container(const std::string& name) {
    return {"shop/web-1", name};
}

}  // namespace

TEST_CASE("the verdicts on a pod's containers together") {
    struct Row {
        const char* what;
        std::vector<Verdict> verdicts;
        PodVerdict pod;
    };
    const Row rows[] = {
        {"none is probed", {}, PodVerdict::not_probed},
        {"none has answered", {Verdict::unknown, Verdict::unknown}, PodVerdict::unknown},
        {"one has not answered", {Verdict::ready, Verdict::unknown}, PodVerdict::unknown},
        {"all are ready", {Verdict::ready, Verdict::ready}, PodVerdict::ready},
        {"one has failed", {Verdict::ready, Verdict::failed}, PodVerdict::failed},
        {"one has failed, and one has not answered", {Verdict::unknown, Verdict::failed}, PodVerdict::failed},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        Probing probing;
        auto pod = pod_of(row.verdicts.size());
        if (row.verdicts.empty())
            pod.containers[0].readiness.reset();
        probing.apply(build::transaction({pod}));
        for (std::size_t i = 0; i < row.verdicts.size(); ++i)
            probing.note(container(pod.containers[i].name), row.verdicts[i]);
        CHECK(probing.verdicts().of(web_1) == row.pod);
        CHECK(probing.containers() == row.verdicts.size());
    }
}

TEST_CASE("a verdict is the container's until another one is in its place") {
    Probing probing;
    auto pod = pod_of(1);
    probing.apply(build::transaction({pod}));
    CHECK(probing.note(container("main"), Verdict::ready) == web_1);
    CHECK_FALSE(probing.note(container("main"), Verdict::ready));  // no change
    SECTION("another period is of no matter") {
        pod.containers[0].readiness->period = std::chrono::seconds(3);
        probing.apply(build::transaction({pod}));
        CHECK(probing.verdicts().of(web_1) == PodVerdict::ready);
    }
    SECTION("a new container starts anew") {
        pod.container_statuses = {{"main", "containerd://2", true}};
        probing.apply(build::transaction({pod}));
        CHECK(probing.verdicts().of(web_1) == PodVerdict::unknown);
    }
    SECTION("one that is not probed any more has no say") {
        pod.containers[0].readiness.reset();
        probing.apply(build::transaction({pod}));
        CHECK(probing.verdicts().of(web_1) == PodVerdict::not_probed);
        CHECK_FALSE(probing.note(container("main"), Verdict::failed));
        CHECK(probing.exchange_changed().at("shop/web-1").empty());
    }
    SECTION("a pod that is gone has none, and a word that comes later is not heard") {
        probing.apply(build::removal(api::Kind::pod, "web-1"));
        CHECK(probing.verdicts().of(web_1) == PodVerdict::not_probed);
        CHECK_FALSE(probing.note(container("main"), Verdict::failed));
        CHECK(probing.containers() == 0);
        CHECK(probing.exchange_changed().at("shop/web-1").empty());
    }
}

TEST_CASE("pods that are known at the start are awaited until they are judged") {
    const base::Address address = build::address("10.1.0.11");
    Probing probing;
    probing.apply(build::transaction({pod_of(2)}, true));
    const auto awaited = [&] {
        CHECK(probing.verdicts().awaits(web_1) == probing.verdicts().awaits(address));
        return probing.verdicts().awaits(web_1);
    };
    CHECK(awaited());
    probing.note(container("main"), Verdict::ready);
    CHECK(awaited());  // c1 has not answered
    SECTION("it is ready") {
        probing.note(container("c1"), Verdict::ready);
        CHECK_FALSE(awaited());
        probing.note(container("c1"), Verdict::unknown);
        CHECK_FALSE(awaited());
    }
    SECTION("it has failed") {
        probing.note(container("c1"), Verdict::failed);
        CHECK_FALSE(awaited());
    }
    SECTION("it is gone") {
        probing.apply(build::removal(api::Kind::pod, "web-1"));
        CHECK_FALSE(awaited());
    }
    SECTION("it has another address") {
        auto pod = pod_of(2);
        pod.ips = {build::address("10.1.0.12")};
        probing.apply(build::transaction({pod}));
        CHECK(probing.verdicts().awaits(web_1));
        CHECK_FALSE(probing.verdicts().awaits(address));
    }
    SECTION("a pod that comes later is not awaited") {
        probing.apply(build::transaction({build::pod("web", "web-2", "10.1.0.12")}));
        CHECK_FALSE(probing.verdicts().awaits(api::ObjectName{"shop", "web-2"}));
    }
}

TEST_CASE("a change costs what it touches, whatever the number of pods") {
    constexpr std::size_t pods = 500;
    World world;
    std::vector<api::Object> objects = {build::service("web", "10.96.0.5"), build::service("other", "10.96.0.6")};
    for (std::size_t i = 0; i < pods; ++i)
        objects.emplace_back(build::pod("other", "other-" + std::to_string(i),
                                        "10.2." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1)));
    objects.emplace_back(build::pod("web", "web-1", "10.1.0.11"));
    world.apply(build::transaction(objects));
    Probing& probing = world.engine.probing();
    CHECK(probing.described() == pods + 1);
    CHECK(probing.exchange_changed().size() == pods + 1);

    const Mirror kernel;
    const auto cost = [&](auto&& change) {
        const auto described = probing.described();
        const auto plans = world.engine.planner().plans();
        change();
        world.engine.plan_dirty(kernel);
        return std::pair(probing.described() - described, world.engine.planner().plans() - plans);
    };
    using Cost = std::pair<std::uint64_t, std::uint64_t>;  // descriptions, plans
    CHECK(cost([&] { world.engine.note_verdict(container("main"), Verdict::ready); }) == Cost{0, 1});
    CHECK(cost([&] { world.engine.note_verdict(container("main"), Verdict::ready); }) == Cost{0, 0});
    CHECK(probing.exchange_changed().empty());
    auto changed = build::pod("web", "web-1", "10.1.0.11");
    changed.containers[0].readiness->period = std::chrono::seconds(3);
    CHECK(cost([&] { world.engine.apply(build::transaction({changed})); }) == Cost{1, 1});
    CHECK(probing.exchange_changed().size() == 1);
    CHECK(cost([&] { world.engine.apply(build::removal(api::Kind::pod, "web-1")); }) == Cost{0, 1});
    CHECK(probing.exchange_changed().size() == 1);
}
