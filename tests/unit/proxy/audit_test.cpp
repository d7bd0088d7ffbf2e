// What an audit makes of each part of the kernel.
#include "proxy/engine/audit.hpp"

#include <catch2/catch.hpp>

#include "tests/support/fake_kernel.hpp"
#include "tests/unit/proxy/build.hpp"

using namespace proxy;
using netlink::Part;

namespace {

/// One object of each part; `last`: the end of their addresses, ports and marks.
netlink::KernelState one_of_each(std::uint8_t last) {
    const base::Address v4 = build::address("10.96.0." + std::to_string(last));
    const base::Address v6 = build::address("fd00:96::" + std::to_string(last));
    netlink::KernelState state;
    for (const Part& part : netlink::all_parts()) {
        if (part.kind != Part::Kind::elements)
            continue;
        netlink::Element element{part.set, {}, netlink::Protocol::none, 0};
        if (has_address(part.set))
            element.address = part.ipv6 ? v6 : v4;
        if (has_port(part.set)) {
            element.protocol = netlink::Protocol::tcp;
            element.port = last;
        }
        if (part.set == netlink::Set::mark)
            element.mark = last;
        state.elements.insert(element);
    }
    state.routes = {{v4}};
    state.virtual_servers[{v4, netlink::Protocol::tcp, 80}].real_servers = {{{v4, 8080}, 1}};
    return state;
}

}  // namespace

TEST_CASE("an audit follows one part of the kernel after the other, and touches nothing of the others") {
    netlink::KernelState mirror = one_of_each(1);
    testing::FakeKernel kernel;
    kernel.state() = one_of_each(2);
    const auto ours = [](const netlink::VirtualServer&) { return true; };
    CHECK(netlink::all_parts().size() == mirror.elements.size() + 2);
    for (const Part& part : netlink::all_parts()) {
        CAPTURE(static_cast<int>(part.kind), static_cast<int>(part.set), part.ipv6);
        netlink::KernelState actual;
        kernel.read_part(part, actual);
        CHECK(follow(mirror, part, actual, ours).size() == 2);  // one is gone, one has come
        CHECK(follow(mirror, part, actual, ours).empty());
    }
    CHECK(mirror == kernel.read());
}

TEST_CASE("an audit keeps real servers, takes settings, and leaves foreign virtual servers alone") {
    netlink::KernelState mirror = one_of_each(1);
    netlink::KernelState actual = one_of_each(1);
    const Part part{Part::Kind::virtual_servers};
    actual.virtual_servers.begin()->second = {{"wrr"}, {}};
    actual.virtual_servers[{build::address("10.96.0.9"), netlink::Protocol::tcp, 80}] = {};
    const auto nobodys = [](const netlink::VirtualServer&) { return false; };
    CHECK(follow(mirror, part, actual, nobodys).virtual_servers.size() == 1);
    REQUIRE(mirror.virtual_servers.size() == 1);
    CHECK(mirror.virtual_servers.begin()->second.settings.scheduler == "wrr");
    CHECK(mirror.virtual_servers.begin()->second.real_servers.size() == 1);
}
