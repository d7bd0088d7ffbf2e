#include "proxy/plan/marks.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/proxy/build.hpp"

using namespace proxy;

namespace {

const MarkUse web{{"shop", "web"}, 80, api::Protocol::tcp, MarkUse::Pool::cluster};
const MarkUse web_local{{"shop", "web"}, 80, api::Protocol::tcp, MarkUse::Pool::local};
const MarkUse dns{{"shop", "dns"}, 53, api::Protocol::udp, MarkUse::Pool::cluster};
const MarkUse third{{"shop", "third"}, 53, api::Protocol::udp, MarkUse::Pool::cluster};

Marks::InKernel kernel_has(std::optional<std::uint32_t> mark) {
    return [=](const netlink::Element&) { return mark; };
}

}  // namespace

TEST_CASE("a use keeps its mark, and a new one gets the lowest that is free") {
    Marks marks({}, kernel_has(std::nullopt));
    CHECK(marks.take(web, {}) == 0x50460001);
    CHECK(marks.take(dns, {}) == 0x50460002);
    CHECK(marks.take(web, {}) == 0x50460001);
    CHECK(marks.take(web_local, {}) == 0x50460003);
    marks.keep({"shop", "web"}, {web_local});
    CHECK(marks.take(third, {}) == 0x50460001);
    CHECK(marks.take(web_local, {}) == 0x50460003);
    marks.keep({"shop", "web"}, {});
    CHECK(marks.take(web_local, {}) == 0x50460003);
}

TEST_CASE("after a restart a use gets the mark that the kernel has for it") {
    Marks marks({}, kernel_has(0x50460007));
    CHECK(marks.take(web, {}) == 0x50460007);
    CHECK(marks.take(dns, {}) == 0x50460001);  // taken by now
    Marks others({}, kernel_has(0x20000007));  // of a former setting
    CHECK(others.take(web, {}) == 0x50460001);
}

TEST_CASE("when all marks are taken there is none") {
    Marks marks({0x100, 0xffffff00}, kernel_has(std::nullopt));
    for (std::uint16_t port = 1; port <= 255; ++port)
        CHECK(marks.take({{"shop", port < 2 ? "web" : "s" + std::to_string(port / 60)}, port, api::Protocol::tcp},
                         {}) == 0x100U + port);
    CHECK_FALSE(marks.take(dns, {}));
    marks.keep({"shop", "web"}, {});
    CHECK(marks.take(dns, {}) == 0x101);
}

TEST_CASE("a Service with thousands of ports leaves a quarter of the marks to others") {
    Marks marks({0x100, 0xffffff00}, kernel_has(std::nullopt));
    std::uint16_t taken = 0;
    while (marks.take({{"shop", "greedy"}, taken, api::Protocol::tcp}, {}))
        ++taken;
    CHECK(taken == 192);
    for (std::uint16_t port = 0; port < 60; ++port)
        CHECK(marks.take({{"shop", "web"}, port, api::Protocol::tcp}, {}) == 0x100U + 193U + port);
    CHECK_FALSE(marks.take({{"shop", "greedy"}, taken, api::Protocol::tcp}, {}));
    CHECK(marks.take({{"shop", "greedy"}, 0, api::Protocol::tcp}, {}) == 0x101);
    marks.keep({"shop", "greedy"}, {});
    CHECK(marks.take({{"shop", "greedy"}, 1, api::Protocol::tcp}, {}) == 0x101);
}

TEST_CASE("the last mark of all numbers") {
    Marks marks({0xffffff00, 0xffffff00}, kernel_has(std::nullopt));
    for (std::uint16_t port = 1; port <= 255; ++port)
        CHECK(marks.take({{"shop", "s" + std::to_string(port / 60)}, port, api::Protocol::tcp}, {}) ==
              0xffffff00U + port);
    CHECK_FALSE(marks.take(dns, {}));
    marks.keep({"shop", "s4"}, {});
    CHECK(marks.take(dns, {}) == 0xffffff00U + 240);
}
