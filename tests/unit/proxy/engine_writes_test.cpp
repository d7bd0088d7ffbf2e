// What is written to the kernel for objects, and when: the engine and the reconciler together.
#include <algorithm>
#include <catch2/catch.hpp>

#include "engine_world.hpp"
#include "proxy/engine/reconciler.hpp"
#include "tests/support/fake_kernel.hpp"

using namespace proxy;

namespace {

struct Writer {
    build::World world;
    testing::FakeKernel kernel;
    Reconciler reconciler{kernel, world.engine.desired().wishes()};

    std::vector<std::string> write() {
        std::vector<std::string> written;
        while (reconciler.step(Time{}, 1000, [&](const auto& change) { written.push_back(netlink::to_string(change)); })
                   .applied > 0) {
        }
        return written;
    }
    /// Those that the kernel has.
    std::string virtual_servers() {
        std::string all;
        for (const auto& [server, state] : kernel.state().virtual_servers)
            all += (all.empty() ? "" : " ") + server.address.to_string();
        return all;
    }
};

api::Service of_space(const std::string& space, const std::string& name, const std::string& address) {
    auto service = build::service(name, address);
    service.name.space = space;
    return service;
}

api::EndpointSlice slice_of(const std::string& service) {
    api::EndpointSlice slice;
    slice.name = {"shop", service + "-1"};
    slice.service = service;
    slice.ports = {{"http", api::Protocol::tcp, 8080}, {"more", api::Protocol::tcp, 8081}};
    for (const char* address : {"10.1.0.11", "10.1.0.12", "10.1.0.13"}) {
        api::Endpoint endpoint;
        endpoint.address = build::address(address);
        slice.endpoints.push_back(endpoint);
    }
    return slice;
}

}  // namespace

TEST_CASE("the API server's and DNS's Services come first at a start") {
    Writer writer;
    writer.world.engine.apply(build::transaction(
        {of_space("shop", "web", "10.96.0.2"), of_space("default", "kubernetes", "10.96.0.1"),
         of_space("default", "kubernetes-dashboard", "10.96.0.3"), of_space("kube-system", "kube-dns", "10.96.0.10"),
         of_space("kube-system", "metrics", "10.96.0.4"), of_space("shop", "kube-dns", "10.96.0.5"),
         of_space("shop", "kubernetes", "10.96.0.6")},
        true));
    CHECK(writer.world.engine.plan_dirty(writer.world.mirror(), is_needed_first) == 2);
    writer.write();
    CHECK(writer.virtual_servers() == "10.96.0.1 10.96.0.10");
    CHECK(writer.kernel.state().routes.size() == 2);
    CHECK(writer.world.engine.plan_dirty(writer.world.mirror()) == 5);
    writer.write();
    CHECK(writer.kernel.state().virtual_servers.size() == 7);
}

TEST_CASE("another order of endpoints or ports writes nothing") {
    Writer writer;
    auto service = build::service("web", "10.96.0.5");
    service.selector.clear();
    service.ports = {{"http", api::Protocol::tcp, 80, std::uint16_t{8080}, 0},
                     {"more", api::Protocol::tcp, 81, std::uint16_t{8081}, 0}};
    auto slice = slice_of("web");
    writer.world.apply(build::transaction({service, slice}));
    CHECK(writer.write().size() > 8);
    CHECK(writer.world.backends("10.96.0.5", 81) == "10.1.0.11=1 10.1.0.12=1 10.1.0.13=1");
    std::reverse(slice.endpoints.begin(), slice.endpoints.end());
    writer.world.apply(build::transaction({slice}));
    CHECK(writer.write() == std::vector<std::string>{});
    std::reverse(slice.ports.begin(), slice.ports.end());
    writer.world.apply(build::transaction({slice}));
    CHECK(writer.write() == std::vector<std::string>{});
    std::reverse(service.ports.begin(), service.ports.end());
    writer.world.apply(build::transaction({service}));
    CHECK(writer.write() == std::vector<std::string>{});
    slice.endpoints.pop_back();
    writer.world.apply(build::transaction({slice}));
    CHECK(writer.write().size() == 2);  // one real server of each port drains
}
