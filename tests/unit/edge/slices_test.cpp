// What an edge gives the engine, and what the engine makes of it.
#include "proxy/edge/slices.hpp"

#include "proxy/edge/edge_plan.hpp"
#include "proxy/edge/weights.hpp"
#include "proxy/engine/engine.hpp"
#include "tests/unit/edge/world.hpp"

using namespace edge;

namespace {

/// An engine as the edge has it.
struct Edge {
    Engine engine{default_config(), {}, {}, true, &plan_edge};

    void apply(const Carried& carried) {
        api::Transaction transaction;
        transaction.upserts.push_back({carried.service, {}});
        for (const api::EndpointSlice& slice : carried.slices)
            transaction.upserts.push_back({slice, {}});
        engine.apply(std::move(transaction));
        engine.plan_dirty({});
    }
    std::string real_servers(const std::string& address, netlink::Protocol protocol = netlink::Protocol::tcp,
                             std::uint16_t port = 80) const {
        const auto* state = engine.desired().find({build::address(address), protocol, port});
        if (state == nullptr)
            return "none";
        std::string text;
        for (const auto& [real, weight] : state->real_servers)
            text += (text.empty() ? "" : " ") + netlink::endpoint_text(real.address, real.port) + "=" +
                    std::to_string(weight);
        return text;
    }
};

std::vector<BackendFate> fates(std::initializer_list<BackendState> states) {
    std::vector<BackendFate> fates;
    for (const BackendState state : states)
        fates.push_back({state, ""});
    return fates;
}

constexpr auto in = BackendState::in;

}  // namespace

TEST_CASE("each address of a front end leads to the backends that are in") {
    struct Row {
        BackendState second;
        const char* real_servers;  // after it was in
    };
    const auto row = GENERATE(values<Row>({{BackendState::in, "10.0.0.11:30080=1 10.0.0.12:30080=1"},
                                           {BackendState::kept, "10.0.0.11:30080=1 10.0.0.12:30080=1"},
                                           {BackendState::drained, "10.0.0.11:30080=1 10.0.0.12:30080=0"},
                                           {BackendState::barred, "10.0.0.11:30080=1 10.0.0.12:30080=0"},
                                           {BackendState::out, "10.0.0.11:30080=1 10.0.0.12:30080=0"},
                                           {BackendState::silent, "10.0.0.11:30080=1 10.0.0.12:30080=0"}}));
    CAPTURE(word(row.second));
    Edge edge;
    const Balanced balanced = front_end(2);
    edge.apply(carried_of(balanced, fates({in, in})));
    CHECK(edge.real_servers("192.0.2.10") == "10.0.0.11:30080=1 10.0.0.12:30080=1");
    edge.apply(carried_of(balanced, fates({in, row.second})));
    CHECK(edge.real_servers("192.0.2.10") == row.real_servers);
}

TEST_CASE("a backend that stays silent is deleted, and its connections are reset") {
    Edge edge;
    const Balanced balanced = front_end(2);
    for (const BackendState state : {in, BackendState::silent, BackendState::dead})
        edge.apply(carried_of(balanced, fates({in, state})));
    edge.engine.planner().review_draining(Time{}, {});
    edge.engine.planner().review_draining(Time{} + Draining::least, {{edge.engine.draining().next(1).at(0),
                                                                      {{{build::address("10.0.0.12"), 30080}, 7}}}});
    CHECK(edge.real_servers("192.0.2.10") == "10.0.0.11:30080=1");
}

TEST_CASE("a backend that was never in is in no virtual server") {
    Edge edge;
    edge.apply(carried_of(front_end(2), fates({in, BackendState::waiting})));
    CHECK(edge.real_servers("192.0.2.10") == "10.0.0.11:30080=1");
}

TEST_CASE("a front end of which nobody is in is there, and refuses") {
    Edge edge;
    edge.apply(carried_of(front_end(1), fates({BackendState::out})));
    CHECK(edge.real_servers("192.0.2.10").empty());
}

TEST_CASE("both families, several ports and several node ports") {
    Balanced balanced = front_end(2);
    balanced.service.ingress.push_back({build::address("2001:db8::10"), api::IpMode::vip});
    balanced.service.ports = {{"http", api::Protocol::tcp, 80, std::uint16_t{80}, 0},
                              {"dns", api::Protocol::udp, 53, std::uint16_t{53}, 0}};
    for (Backend& backend : balanced.backends)
        backend.ports = {30080, 30053};
    balanced.backends[1].addresses.push_back(build::address("fd00::12"));
    Edge edge;
    edge.apply(carried_of(balanced, fates({in, in})));
    CHECK(edge.real_servers("192.0.2.10") == "10.0.0.11:30080=1 10.0.0.12:30080=1");
    CHECK(edge.real_servers("192.0.2.10", netlink::Protocol::udp, 53) == "10.0.0.11:30053=1 10.0.0.12:30053=1");
    CHECK(edge.real_servers("2001:db8::10") == "[fd00::12]:30080=1");
}

TEST_CASE("connections are masqueraded, and the address is this host's by a route, unless an interface has it") {
    using netlink::Element;
    using netlink::Protocol;
    using netlink::Set;
    const bool is_own = GENERATE(false, true);
    const auto address = build::address("192.0.2.10");
    Edge edge;
    if (is_own) {
        NodeFacts facts;
        facts.own_addresses = {address};
        edge.engine.set_facts(facts);
    }
    edge.apply(carried_of(front_end(1), fates({in})));
    const WishList& wishes = edge.engine.desired().wishes();
    CHECK(wishes.wants(Element{Set::masquerade, address, Protocol::tcp, 80}));
    CHECK(wishes.wants(Element{Set::served, address, Protocol::tcp, 80}));
    CHECK_FALSE(wishes.wants(Element{Set::external, address, Protocol::tcp, 80}));
    CHECK_FALSE(wishes.wants(Element{Set::external_address, address, Protocol::none, 0}));
    CHECK(wishes.wants(netlink::LocalRoute{address}) != is_own);
    CHECK(wishes.wants(Element{Set::virtual_address, address, Protocol::none, 0}) != is_own);
}

TEST_CASE("an address that is left to others is not made local: packets to its port are taken where they come") {
    Balanced balanced = front_end(1);
    balanced.service.annotations[take_address_annotation] = "false";
    Edge edge;
    edge.apply(carried_of(balanced, fates({in})));
    const auto address = build::address("192.0.2.10");
    const WishList& wishes = edge.engine.desired().wishes();
    CHECK_FALSE(wishes.wants(netlink::LocalRoute{address}));
    CHECK(wishes.wants(netlink::Element{netlink::Set::external, address, netlink::Protocol::tcp, 80}));
    CHECK(edge.real_servers("192.0.2.10") == "10.0.0.11:30080=1");
}

TEST_CASE("weights reach the real servers, also alone") {
    Edge edge;
    Balanced balanced = front_end(2);
    edge.apply(carried_of(balanced, fates({in, in})));
    balanced.backends[1].weight = 3;
    edge.apply(carried_of(balanced, fates({in, in})));
    CHECK(edge.real_servers("192.0.2.10") == "10.0.0.11:30080=1 10.0.0.12:30080=3");
    edge.apply(carried_of(balanced, fates({in, BackendState::out})));
    CHECK(edge.real_servers("192.0.2.10") == "10.0.0.11:30080=1 10.0.0.12:30080=0");
    balanced.backends[1].weight = 1;
    edge.apply(carried_of(balanced, fates({in, in})));
    CHECK(edge.real_servers("192.0.2.10") == "10.0.0.11:30080=1 10.0.0.12:30080=1");
}

TEST_CASE("an annotation of the API that is named as ours gives nobody a weight") {
    Balanced balanced = front_end(1);
    balanced.service.annotations[weights_annotation] = "10.0.0.11:30080=50";
    CHECK_FALSE(carried_of(balanced, fates({in})).service.annotations.contains(weights_annotation));
}

TEST_CASE("weights are read back as they were printed, and what is none is left out") {
    const Weights weights{{{build::address("10.0.0.11"), 80}, 3}, {{build::address("fd00::1"), 443}, 65'535}};
    CHECK(read_weights(print_weights(weights)) == weights);
    CHECK(read_weights("").empty());
    CHECK(read_weights("a=1 10.0.0.1=2 10.0.0.1:80=0 10.0.0.1:80=70000 10.0.0.1:80000=1 :=").empty());
}
