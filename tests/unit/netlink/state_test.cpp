// The difference of two kernel states, and that applying it gives the desired one.
#include "netlink/state.hpp"

#include <catch2/catch.hpp>

#include "tests/support/states.hpp"

using namespace netlink;
using testing::difference;

namespace {

Address ip(const char* text) {
    return base::make_address(text);
}

const VirtualServer web{ip("10.96.0.5"), Protocol::tcp, 80};
const VirtualServer dns{ip("10.96.0.10"), Protocol::udp, 53};
const VirtualServer web6{ip("fd00:96::5"), Protocol::tcp, 80};
const RealServer pod1{ip("10.1.0.11"), 8080};
const RealServer pod2{ip("10.1.0.12"), 8080};

KernelState one_service() {
    KernelState state;
    state.virtual_servers[web] = {{}, {{pod1, 1}, {pod2, 1}}};
    state.routes = {{web.address}};
    state.elements = {{Set::served, web.address, Protocol::tcp, 80},
                      {Set::virtual_address, web.address, Protocol::none, 0}};
    return state;
}

std::vector<std::string> lines(const std::vector<Change>& changes) {
    std::vector<std::string> all;
    for (const Change& change : changes)
        all.push_back(to_string(change));
    return all;
}

}  // namespace

TEST_CASE("a state reads like ipvsadm-save, routes, elements") {
    KernelState state = one_service();
    state.virtual_servers[dns] = {{"wrr", true, 600}, {}};
    state.virtual_servers[web6] = {{}, {{{ip("fd00:1::1"), 80}, 0}}};
    CHECK(testing::to_text(state) ==
          "-A -t 10.96.0.5:80 -s rr\n"
          "-a -t 10.96.0.5:80 -r 10.1.0.11:8080 -m -w 1\n"
          "-a -t 10.96.0.5:80 -r 10.1.0.12:8080 -m -w 1\n"
          "-A -u 10.96.0.10:53 -s wrr -p 600\n"
          "-A -t [fd00:96::5]:80 -s rr\n"
          "-a -t [fd00:96::5]:80 -r [fd00:1::1]:80 -m -w 0\n"
          "local 10.96.0.5\n"
          "served 10.96.0.5 tcp 80\n"
          "virtual_address 10.96.0.5\n");
}

TEST_CASE("what is added comes in the safe order, and is removed in the reverse one") {
    const std::vector<std::string> added = lines(difference(one_service(), {}));
    CHECK(added == std::vector<std::string>{
                       "add-element served 10.96.0.5 tcp 80", "add-element virtual_address 10.96.0.5",
                       "add-service 10.96.0.5:80/tcp rr", "add-server 10.96.0.5:80/tcp 10.1.0.11:8080 weight 1",
                       "add-server 10.96.0.5:80/tcp 10.1.0.12:8080 weight 1", "add-route 10.96.0.5"});
    const std::vector<std::string> removed = lines(difference({}, one_service()));
    CHECK(removed == std::vector<std::string>{"delete-route 10.96.0.5", "delete-service 10.96.0.5:80/tcp",
                                              "delete-element served 10.96.0.5 tcp 80",
                                              "delete-element virtual_address 10.96.0.5"});
}

TEST_CASE("nothing is led to a virtual server that is not there yet, or not any more") {
    KernelState state;
    const VirtualServer outside{ip("203.0.113.5"), Protocol::tcp, 80};
    state.virtual_servers[outside].real_servers = {{pod1, 1}};
    state.elements = {{Set::external, outside.address, Protocol::tcp, 80},
                      {Set::external_address, outside.address, Protocol::none, 0},
                      {Set::masquerade, outside.address, Protocol::tcp, 80}};
    CHECK(lines(difference(state, {})) ==
          std::vector<std::string>{"add-element masquerade 203.0.113.5 tcp 80", "add-service 203.0.113.5:80/tcp rr",
                                   "add-server 203.0.113.5:80/tcp 10.1.0.11:8080 weight 1",
                                   "add-element external 203.0.113.5 tcp 80",
                                   "add-element external_address 203.0.113.5"});
    CHECK(lines(difference({}, state)) == std::vector<std::string>{"delete-element external 203.0.113.5 tcp 80",
                                                                   "delete-element external_address 203.0.113.5",
                                                                   "delete-service 203.0.113.5:80/tcp",
                                                                   "delete-element masquerade 203.0.113.5 tcp 80"});
}

TEST_CASE("differences are the smallest that do") {
    struct Row {
        const char* what;
        void (*change)(KernelState&);
        std::vector<std::string> expected;
    };
    const auto row = GENERATE(values<Row>({
        {"nothing", [](KernelState&) {}, {}},
        {"weight",
         [](KernelState& s) { s.virtual_servers[web].real_servers[pod1] = 0; },
         {"edit-server 10.96.0.5:80/tcp 10.1.0.11:8080 weight 0"}},
        {"scheduler",
         [](KernelState& s) { s.virtual_servers[web].settings.scheduler = "lc"; },
         {"edit-service 10.96.0.5:80/tcp lc"}},
        {"persistence",
         [](KernelState& s) { s.virtual_servers[web].settings = {"rr", true, 60}; },
         {"edit-service 10.96.0.5:80/tcp rr persistent 60"}},
        {"one real server less",
         [](KernelState& s) { s.virtual_servers[web].real_servers.erase(pod2); },
         {"delete-server 10.96.0.5:80/tcp 10.1.0.12:8080"}},
        {"one more",
         [](KernelState& s) { s.virtual_servers[web].real_servers[{ip("10.1.0.13"), 80}] = 1; },
         {"add-server 10.96.0.5:80/tcp 10.1.0.13:80 weight 1"}},
        {"an element",
         [](KernelState& s) { s.elements.insert({Set::node_port, {}, Protocol::udp, 30053}); },
         {"add-element node_port udp 30053"}},
    }));
    CAPTURE(row.what);
    KernelState desired = one_service();
    row.change(desired);
    const std::vector<Change> changes = difference(desired, one_service());
    CHECK(lines(changes) == row.expected);
    KernelState actual = one_service();
    for (const Change& change : changes)
        advance(actual, change);
    CHECK(actual == desired);
}

TEST_CASE("operations are named for metrics") {
    CHECK(operation(DeleteRoute{}) == "delete-route");
    CHECK(operation(AddElement{}) == "add-element");
    CHECK(operation(DeleteElement{}) == "delete-element");
}
