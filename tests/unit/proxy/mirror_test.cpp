// What planning looks up of the kernel.
#include "proxy/plan/mirror.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/proxy/build.hpp"

using namespace proxy;

TEST_CASE("the mirror tells what the kernel has, and nothing of what it has not") {
    const netlink::VirtualServer web{build::address("10.96.0.5"), netlink::Protocol::tcp, 80};
    const netlink::VirtualServer other{build::address("10.96.0.6"), netlink::Protocol::tcp, 80};
    const netlink::RealServer first{build::address("10.1.0.1"), 8080};
    const netlink::RealServer second{build::address("10.1.0.2"), 8080};
    const netlink::Element carrier{netlink::Set::internal_mark, web.address, netlink::Protocol::tcp, 80};
    netlink::KernelState state;
    state.virtual_servers[web].real_servers[first] = 3;
    netlink::Element marked = carrier;
    marked.mark = 7;
    state.elements = {marked};
    const Mirror mirror(state);
    CHECK(mirror.weight(web, first) == 3);
    CHECK_FALSE(mirror.weight(web, second));
    CHECK_FALSE(mirror.weight(other, first));
    CHECK(mirror.real_servers(web)->size() == 1);
    CHECK(mirror.real_servers(other) == nullptr);
    CHECK(mirror.mark(carrier) == 7U);
    auto elsewhere = carrier;
    elsewhere.port = 81;
    CHECK_FALSE(mirror.mark(elsewhere));
    CHECK_FALSE(Mirror().mark(carrier));
    CHECK(mirror.look_ups() == 7);
}
