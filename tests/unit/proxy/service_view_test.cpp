// What `podferry services` says of front ends is what the kernel does: all kinds of Services, planned and programmed
// into a kernel, against the rules of Kubernetes' documentation.
#include "proxy/engine/service_view.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "engine_world.hpp"
#include "proxy/engine/reconciler.hpp"
#include "tests/support/fake_kernel.hpp"

using namespace proxy;
using api::TrafficPolicy;
using build::World;

namespace {

/// A world whose wishes have been given to a kernel.
struct Programmed {
    World world;
    testing::FakeKernel kernel;
    Reconciler reconciler{kernel, world.engine.desired().wishes()};

    Programmed() { reconciler.adopt(); }

    void apply(api::Transaction transaction) {
        world.apply(std::move(transaction));
        reconciler.sweep();
        for (int round = 0; round < 4; ++round)
            reconciler.step(Time{}, 100'000);
    }
    /// As the page has them, which is made in pieces of any size.
    std::vector<ServiceView> view() const { return view(reconciler.mirror()); }
    std::vector<ServiceView> view(const netlink::KernelState& state) const {
        const ServiceViews views = world.engine.views(state);
        std::vector<ServiceView> all;
        for (const api::Service& service : world.engine.store().services())
            if (ServiceView view = views.of(service); !view.front_ends.empty() || !view.leftover.empty())
                all.push_back(std::move(view));
        for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{100'000}}) {
            ServicesPage page(world.engine.store().services(), views, "");
            while (page.next(piece)) {
            }
            CHECK(page.text() == to_json(ServicesView{"", all}));
        }
        return all;
    }
    FrontEndView front_end(const std::string& service, const std::string& address, std::uint16_t port = 80) const {
        for (const ServiceView& view : view())
            for (const FrontEndView& front_end : view.front_ends)
                if (view.name.name == service && front_end.address == address && front_end.port == port)
                    return front_end;
        FAIL("no front end " << address << ":" << port << " of " << service);
        return {};
    }
};

/// "10.1.0.11=1 10.1.0.12=0(draining)", or the fate.
std::string text(const ReachView& reach) {
    std::string text = reach.fate == "carried" ? "" : reach.fate;
    for (const BackendView& backend : reach.backends)
        text += (text.empty() ? "" : " ") + backend.address + "=" + std::to_string(backend.weight) +
                (backend.state == "active" ? "" : "(" + backend.state + ")");
    return text;
}

struct Endpoints {
    const char* here;
    const char* elsewhere;
};

/// What clients get by the traffic policy: the cluster's endpoints, or this node's; none of them: refused; none of
/// this node's only: dropped.
std::string expected(const Endpoints& endpoints, bool only_local) {
    const auto with_weight = [](const std::string& address) { return address + "=1"; };
    const std::string here = endpoints.here;
    const std::string elsewhere = endpoints.elsewhere;
    if (here.empty() && elsewhere.empty())
        return "refused";
    if (only_local)
        return here.empty() ? "dropped" : with_weight(here);
    return here.empty()        ? with_weight(elsewhere)
           : elsewhere.empty() ? with_weight(here)
                               : with_weight(here) + " " + with_weight(elsewhere);
}

std::vector<api::Object> objects_of(const api::Service& service, const Endpoints& endpoints) {
    std::vector<api::Object> objects = {service};
    if (*endpoints.here != 0)
        objects.emplace_back(build::pod_on("n1", "web-1", endpoints.here));
    if (*endpoints.elsewhere != 0)
        objects.emplace_back(build::pod_on("n2", "web-2", endpoints.elsewhere));
    return objects;
}

/// A Service with every kind of front end.
api::Service with_all_front_ends() {
    auto service = build::service("web", "10.96.0.5");
    service.type = api::ServiceType::load_balancer;
    service.ports[0].node_port = 30080;
    service.external_ips = {build::address("203.0.113.7")};
    service.ingress = {{build::address("203.0.113.8"), api::IpMode::vip},
                       {build::address("203.0.113.9"), api::IpMode::proxy}};
    return service;
}

/// Every real server of every virtual server that is in the kernel is shown, with its weight, and nothing else is.
void check_against(const netlink::KernelState& kernel, const ServiceView& view) {
    std::set<std::string> present;
    for (const auto& [server, state] : kernel.virtual_servers)
        for (const auto& [real, weight] : state.real_servers)
            present.insert(real.address.to_string() + "=" + std::to_string(weight));
    std::set<std::string> shown;
    const auto add = [&](const std::vector<BackendView>& backends) {
        for (const BackendView& backend : backends)
            shown.insert(backend.address + "=" + std::to_string(backend.weight));
    };
    for (const FrontEndView& front_end : view.front_ends) {
        add(front_end.outside.backends);
        add(front_end.inside.backends);
    }
    add(view.leftover);
    CHECK(shown == present);
}

}  // namespace

TEST_CASE("every front end is shown as the kernel has it, whatever the policies") {
    const auto internal = GENERATE(TrafficPolicy::cluster, TrafficPolicy::local);
    const auto external = GENERATE(TrafficPolicy::cluster, TrafficPolicy::local);
    const auto endpoints = GENERATE(Endpoints{"10.1.0.11", "10.1.0.12"}, Endpoints{"10.1.0.11", ""},
                                    Endpoints{"", "10.1.0.12"}, Endpoints{"", ""});
    const bool affinity = GENERATE(false, true);
    const bool same_ports = GENERATE(false, true);
    auto service = with_all_front_ends();
    service.internal_traffic_policy = internal;
    service.external_traffic_policy = external;
    if (affinity)
        service.client_ip_affinity = std::chrono::seconds(600);
    if (same_ports)
        service.ports[0].port = 8080;
    CAPTURE(static_cast<int>(internal), static_cast<int>(external), endpoints.here, endpoints.elsewhere, affinity);
    Programmed programmed;
    programmed.apply(build::transaction(objects_of(service, endpoints)));

    const auto views = programmed.view();
    REQUIRE(views.size() == 1);
    std::string kinds;
    for (const FrontEndView& front_end : views[0].front_ends) {
        const bool cluster_ip = front_end.kind == "ClusterIP";
        const bool local = (cluster_ip ? internal : external) == TrafficPolicy::local;
        CAPTURE(front_end.kind);
        kinds += front_end.kind + " " + front_end.address + "; ";
        CHECK(front_end.policy == (local ? "Local" : "Cluster"));
        CHECK(text(front_end.outside) == expected(endpoints, local));
        CHECK(text(front_end.inside) == expected(endpoints, local && cluster_ip));
        CHECK(front_end.waits_for.empty());
    }
    CHECK(kinds ==
          "ClusterIP 10.96.0.5; node port 192.168.50.10; load balancer 203.0.113.8; external IP 203.0.113.7; ");
    check_against(programmed.kernel.state(), views[0]);
}

TEST_CASE("who has lost a front end is shown without endpoints, and whom it waits for") {
    Programmed programmed;
    auto a = build::service("a", "10.96.0.6");
    auto b = build::service("b", "10.96.0.7");
    a.external_ips = b.external_ips = {build::address("203.0.113.9")};
    programmed.apply(build::transaction(
        {a, b, build::pod("a", "a-1", "10.1.0.1", false), build::pod("b", "b-1", "10.1.0.2", false)}));
    CHECK(text(programmed.front_end("a", "203.0.113.9").outside) == "10.1.0.1=1");
    const FrontEndView lost = programmed.front_end("b", "203.0.113.9");
    CHECK(lost.waits_for == "shop/a");
    CHECK(text(lost.outside) == "waits");
    CHECK(lost.inside == lost.outside);
    CHECK(text(programmed.front_end("b", "10.96.0.7").inside) == "10.1.0.2=1");
}

TEST_CASE("a front end that the kernel has not is not shown as served") {
    Programmed programmed;
    const netlink::VirtualServer refused{build::address("203.0.113.7"), netlink::Protocol::tcp, 80};
    programmed.kernel.refuse(refused, std::errc::operation_not_permitted);
    programmed.apply(build::transaction(objects_of(with_all_front_ends(), {"10.1.0.11", ""})));
    CHECK(text(programmed.front_end("web", "203.0.113.7").outside) == "not in the kernel");
    CHECK(text(programmed.front_end("web", "203.0.113.8").outside) == "10.1.0.11=1");

    SECTION("also when only its route is not there") {
        programmed.kernel.state().routes.clear();
        const auto view = programmed.view(programmed.kernel.state());
        CHECK(text(view[0].front_ends[0].inside) == "not in the kernel");
    }
    SECTION("nor is one of a family that the Service has not") {
        auto service = with_all_front_ends();
        service.external_ips = {build::address("fd00::7")};
        programmed.apply(build::transaction({service}));
        CHECK(text(programmed.front_end("web", "fd00::7").outside) == "not served");
    }
}

TEST_CASE("source ranges are said where the kernel has them") {
    auto service = with_all_front_ends();
    service.source_ranges = {{build::address("10.0.0.0"), 8}, {build::address("fd00::"), 8}};
    Programmed programmed;
    programmed.apply(build::transaction(objects_of(service, {"10.1.0.11", ""})));
    CHECK(programmed.front_end("web", "203.0.113.8").only_from == std::vector<std::string>{"10.0.0.0/8"});
    CHECK(programmed.front_end("web", "203.0.113.7").only_from.empty());
}

TEST_CASE("real servers that get nothing say why") {
    Programmed programmed;
    auto& world = programmed.world;
    programmed.apply(build::transaction({build::service("web", "10.96.0.5"), build::pod("web", "web-1", "10.1.0.11"),
                                         build::pod("web", "web-2", "10.1.0.12", false)}));
    world.verdicts["shop/web-1"] = health::Verdict::ready;
    world.note("shop/web-1", health::Verdict::ready);
    programmed.apply({});
    CHECK(text(programmed.front_end("web", "10.96.0.5").inside) == "10.1.0.11=1 10.1.0.12=1");

    SECTION("its probe has failed: at once pending, then in the kernel") {
        world.judge("shop/web-1", health::Verdict::failed);
        CHECK(text(programmed.front_end("web", "10.96.0.5").inside) == "10.1.0.11=1(pending) 10.1.0.12=1");
        programmed.apply({});
        CHECK(text(programmed.front_end("web", "10.96.0.5").inside) == "10.1.0.11=0(failed probe) 10.1.0.12=1");
    }
    SECTION("it drains") {
        programmed.apply(build::removal(api::Kind::pod, "web-2"));
        CHECK(text(programmed.front_end("web", "10.96.0.5").inside) == "10.1.0.11=1 10.1.0.12=0(draining)");
    }
    SECTION("it is to come") {
        world.apply(build::transaction({build::pod("web", "web-3", "10.1.0.13", false)}));
        CHECK(text(programmed.front_end("web", "10.96.0.5").inside) == "10.1.0.11=1 10.1.0.12=1 10.1.0.13=-1(pending)");
    }
    SECTION("connections of clients that get other endpoints by now are shown apart") {
        auto service = build::local_node_port("10.96.0.9");
        service.name.name = "old";
        service.selector = {{"app", "web"}};
        programmed.apply(build::transaction(
            {service, build::pod_on("n1", "web-4", "10.1.0.14"), build::pod_on("n2", "web-5", "10.1.0.15")}));
        service.external_traffic_policy = TrafficPolicy::cluster;
        programmed.apply(build::transaction({service}));
        const auto views = programmed.view();
        const auto old = std::find_if(views.begin(), views.end(), [](const auto& v) { return v.name.name == "old"; });
        REQUIRE(old != views.end());
        CHECK_FALSE(old->leftover.empty());
        CHECK(std::all_of(old->leftover.begin(), old->leftover.end(),
                          [](const BackendView& backend) { return backend.state == "draining"; }));
    }
}

TEST_CASE("a pod that has not been probed since the start is not said to have failed") {
    Programmed programmed;
    programmed.world.kernel = {{"10.1.0.11:8080", 0}};
    programmed.apply(
        build::transaction({build::service("web", "10.96.0.5"), build::pod("web", "web-1", "10.1.0.11")}, true));
    CHECK(text(programmed.front_end("web", "10.96.0.5").inside) == "refused 10.1.0.11=0(not probed yet)");
    programmed.world.judge("shop/web-1", health::Verdict::failed);
    CHECK(text(programmed.front_end("web", "10.96.0.5").inside) == "refused 10.1.0.11=0(failed probe)");
}

TEST_CASE("Services that come, change and go while their page is made") {
    Programmed programmed;
    for (const char* name : {"b", "d", "f"}) {
        auto service = build::service(name, std::string("10.96.0.") + std::to_string(name[0]));
        service.external_ips = {build::address("203.0.113." + std::to_string(name[0]))};
        programmed.apply(build::transaction({service}));
    }
    ServicesPage page(programmed.world.engine.store().services(),
                      programmed.world.engine.views(programmed.reconciler.mirror()), "");
    CHECK(page.next(1));  // a front end of b
    programmed.apply(build::removal(api::Kind::service, "b"));
    programmed.apply(build::removal(api::Kind::service, "d"));
    programmed.apply(build::transaction({build::service("a", "10.96.0.2"), build::service("e", "10.96.0.3")}));
    std::size_t pieces = 1;
    while (page.next(1))
        ++pieces;
    CHECK(pieces > 6);
    const std::string text = page.text();
    std::string names;
    for (std::size_t at = text.find("\"name\":\""); at != std::string::npos; at = text.find("\"name\":\"", at + 1))
        names += text[at + 8];
    CHECK(names == "bef");
    CHECK_NOTHROW(services_table(text));
}
