#include "proxy/plan/marks.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/proxy/build.hpp"

using namespace proxy;

namespace {

const MarkUse web{{"shop", "web"}, 80, api::Protocol::tcp, MarkUse::Pool::cluster};
const MarkUse web_local{{"shop", "web"}, 80, api::Protocol::tcp, MarkUse::Pool::local};
const MarkUse dns{{"shop", "dns"}, 53, api::Protocol::udp, MarkUse::Pool::cluster};
const MarkUse third{{"shop", "third"}, 53, api::Protocol::udp, MarkUse::Pool::cluster};

const Mirror no_kernel;

/// A kernel whose map has that mark for the default element.
Mirror kernel_has(std::uint32_t mark) {
    Mirror kernel;
    netlink::Element element;
    element.mark = mark;
    kernel.elements.insert(element);
    return kernel;
}

}  // namespace

TEST_CASE("a use keeps its mark, and a new one gets the lowest that is free") {
    Marks marks(netlink::Fwmark{});
    CHECK(marks.allocate(web, {}, no_kernel) == 0x50460001);
    CHECK(marks.allocate(dns, {}, no_kernel) == 0x50460002);
    CHECK(marks.allocate(web, {}, no_kernel) == 0x50460001);
    CHECK(marks.allocate(web_local, {}, no_kernel) == 0x50460003);
    marks.keep({"shop", "web"}, {web_local});
    CHECK(marks.allocate(third, {}, no_kernel) == 0x50460001);
    CHECK(marks.allocate(web_local, {}, no_kernel) == 0x50460003);
    marks.keep({"shop", "web"}, {});
    CHECK(marks.allocate(web_local, {}, no_kernel) == 0x50460003);
}

TEST_CASE("after a restart a use gets the mark that the kernel has for it") {
    Marks marks(netlink::Fwmark{});
    const Mirror marks_kernel = kernel_has(0x50460007);
    CHECK(marks.allocate(web, {}, marks_kernel) == 0x50460007);
    CHECK(marks.allocate(dns, {}, marks_kernel) == 0x50460001);  // taken by now
    Marks others(netlink::Fwmark{});
    const Mirror others_kernel = kernel_has(0x20000007);  // of a former setting
    CHECK(others.allocate(web, {}, others_kernel) == 0x50460001);
}

TEST_CASE("when all marks are taken there is none") {
    Marks marks({0x100, 0xffffff00});
    for (std::uint16_t port = 1; port <= 255; ++port)
        CHECK(marks.allocate({{"shop", port < 2 ? "web" : "s" + std::to_string(port / 60)}, port, api::Protocol::tcp},
                             {}, no_kernel) == 0x100U + port);
    CHECK_FALSE(marks.allocate(dns, {}, no_kernel));
    marks.keep({"shop", "web"}, {});
    CHECK(marks.allocate(dns, {}, no_kernel) == 0x101);
}

TEST_CASE("a Service with thousands of ports leaves a quarter of the marks to others") {
    Marks marks({0x100, 0xffffff00});
    std::uint16_t taken = 0;
    while (marks.allocate({{"shop", "greedy"}, taken, api::Protocol::tcp}, {}, no_kernel))
        ++taken;
    CHECK(taken == 192);
    for (std::uint16_t port = 0; port < 60; ++port)
        CHECK(marks.allocate({{"shop", "web"}, port, api::Protocol::tcp}, {}, no_kernel) == 0x100U + 193U + port);
    CHECK_FALSE(marks.allocate({{"shop", "greedy"}, taken, api::Protocol::tcp}, {}, no_kernel));
    CHECK(marks.allocate({{"shop", "greedy"}, 0, api::Protocol::tcp}, {}, no_kernel) == 0x101);
    marks.keep({"shop", "greedy"}, {});
    CHECK(marks.allocate({{"shop", "greedy"}, 1, api::Protocol::tcp}, {}, no_kernel) == 0x101);
}

TEST_CASE("the last mark of all numbers") {
    Marks marks({0xffffff00, 0xffffff00});
    for (std::uint16_t port = 1; port <= 255; ++port)
        CHECK(marks.allocate({{"shop", "s" + std::to_string(port / 60)}, port, api::Protocol::tcp}, {}, no_kernel) ==
              0xffffff00U + port);
    CHECK_FALSE(marks.allocate(dns, {}, no_kernel));
    marks.keep({"shop", "s4"}, {});
    CHECK(marks.allocate(dns, {}, no_kernel) == 0xffffff00U + 240);
}
