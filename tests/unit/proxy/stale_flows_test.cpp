// Which entries are stale, and after which changes there may be some. Service shop/dns has pods 10.1.0.11 and .12.
#include "proxy/sync/stale_flows.hpp"

#include <catch2/catch.hpp>

#include "proxy/sync/flow_cleaner.hpp"
#include "tests/unit/proxy/build.hpp"

using namespace proxy;
using namespace std::chrono_literals;
using netlink::Protocol;
using netlink::RealServer;
using netlink::VirtualServer;

namespace {

/// "10.96.0.5:53", "[fd00::1]:53"
RealServer at(const std::string& text) {
    const auto colon = text.rfind(':');
    std::string address = text.substr(0, colon);
    if (address.starts_with("["))
        address = address.substr(1, address.size() - 2);
    return {build::address(address), static_cast<std::uint16_t>(std::stoi(text.substr(colon + 1)))};
}

VirtualServer front_end(const std::string& text, Protocol protocol = Protocol::udp) {
    const RealServer where = at(text);
    return {where.address, protocol, where.port};
}

/// A client's entry to `to`, whose answers come from `answerer`.
netlink::Flow flow(const std::string& to, const std::string& answerer) {
    return {at(to.starts_with("[") ? "[fd00:1::99]:4000" : "10.1.0.99:4000"), front_end(to), at(answerer), 0, 7};
}

void add(ServicePlan& plan, const VirtualServer& server, const netlink::RealServers& reals) {
    plan.virtual_servers.push_back({server, {{}, reals}});
}

/// Of packets with a mark, whatever their protocol.
const VirtualServer marked{{}, Protocol::none, 0, 0x50460001};

Desired desired() {
    ServicePlan dns;
    const netlink::RealServers pods = {{at("10.1.0.11:5353"), 1}, {at("10.1.0.12:5353"), 1}, {at("10.1.0.13:5353"), 0}};
    add(dns, front_end("10.96.0.10:53"), pods);
    add(dns, front_end("10.96.0.10:53", Protocol::tcp), {{at("10.1.0.14:5353"), 1}});
    add(dns, front_end("203.0.113.7:53"), {{at("10.1.0.12:5353"), 1}});
    add(dns, front_end("192.168.50.10:30053"), pods);
    add(dns, front_end("[fd00:96::10]:53"), {});
    add(dns, marked, {{at("10.1.0.16:5353"), 1}});
    ServicePlan none;
    add(none, front_end("10.96.0.11:53"), {{at("10.1.0.21:53"), 0}});
    ServicePlan other;
    add(other, front_end("10.96.0.12:53"), {{at("10.1.0.31:53"), 1}});
    ServicePlan six;
    add(six, front_end("[fd00:96::13]:53"), {{at("[fd00:1::11]:5353"), 1}});
    Desired desired;
    desired.replace({"shop", "dns"}, dns);
    desired.replace({"shop", "none"}, none);
    desired.replace({"shop", "other"}, other);
    desired.replace({"shop", "six"}, six);
    return desired;
}

}  // namespace

TEST_CASE("an entry is stale when nobody who serves answers") {
    const Desired all = desired();
    const UdpFrontEnds front_ends(all, {front_end("10.96.0.10:53"), front_end("10.96.0.11:53"),
                                        front_end("[fd00:96::13]:53"), front_end("10.96.0.99:53")});
    struct Row {
        const char* what;
        const char* to;
        const char* answerer;
        bool stale;
    };
    const Row rows[] = {
        {"a healthy pod's", "10.96.0.10:53", "10.1.0.11:5353", false},
        {"a pod that is gone", "10.96.0.10:53", "10.1.0.15:5353", true},
        {"a pod without weight", "10.96.0.10:53", "10.1.0.13:5353", true},
        {"a pod that clients in the cluster get", "10.96.0.10:53", "10.1.0.16:5353", false},
        {"another port of a pod", "10.96.0.10:53", "10.1.0.11:5454", true},
        {"a pod of the same port of TCP", "10.96.0.10:53", "10.1.0.14:5353", true},
        {"from before the front end was there", "10.96.0.10:53", "10.96.0.10:53", true},
        {"a front end that has not changed, of the same Service", "203.0.113.7:53", "10.1.0.15:5353", true},
        {"a pod that another front end's policy has chosen", "203.0.113.7:53", "10.1.0.11:5353", false},
        {"a node port", "192.168.50.10:30053", "10.1.0.12:5353", false},
        {"a node port before it was there", "192.168.50.10:30053", "192.168.50.10:30053", true},
        {"the port of a node port at another address", "192.168.50.99:30053", "192.168.50.99:30053", false},
        {"another port of the address", "10.96.0.10:54", "10.96.0.10:54", false},
        {"a Service without pods that serve", "10.96.0.11:53", "10.1.0.21:53", false},
        {"a Service without pods of the family", "[fd00:96::10]:53", "[fd00:96::10]:53", false},
        {"a Service that has not changed", "10.96.0.12:53", "10.96.0.12:53", false},
        {"not to a front end: the pod itself", "10.1.0.15:5353", "10.1.0.15:5353", false},
        {"IPv6", "[fd00:96::13]:53", "[fd00:1::11]:5353", false},
        {"IPv6, a pod that is gone", "[fd00:96::13]:53", "[fd00:1::12]:5353", true},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        CHECK(front_ends.is_stale(flow(row.to, row.answerer)) == row.stale);
    }
    CHECK(front_ends.has(false));
    CHECK(front_ends.has(true));
}

TEST_CASE("nothing is looked for where nobody serves") {
    const Desired all = desired();
    const UdpFrontEnds none(all, {front_end("10.96.0.11:53"), front_end("10.96.0.99:53")});
    CHECK_FALSE(none.has(false));
    CHECK_FALSE(none.has(true));
    CHECK_FALSE(UdpFrontEnds(all, {front_end("10.96.0.10:53")}).has(true));
    CHECK(UdpFrontEnds(all, {marked}).has(false));
}

TEST_CASE("changes that may leave stale entries") {
    const VirtualServer udp = front_end("10.96.0.10:53");
    const VirtualServer tcp = front_end("10.96.0.10:53", Protocol::tcp);
    const RealServer real = at("10.1.0.11:5353");
    netlink::KernelState first;
    first.virtual_servers[udp].real_servers = {{real, 1}, {at("10.1.0.12:5353"), 0}};
    first.virtual_servers[tcp] = first.virtual_servers[udp];
    netlink::KernelState second = first;
    second.virtual_servers[udp].real_servers[at("10.1.0.12:5353")] = 1;
    struct Row {
        const char* what;
        netlink::Change change;
        bool may;
    };
    const Row rows[] = {
        {"a virtual server", netlink::AddVirtualServer{udp, {}}, true},
        {"its settings", netlink::EditVirtualServer{udp, {}}, false},
        {"its end", netlink::DeleteVirtualServer{udp}, false},
        {"a real server goes", netlink::DeleteRealServer{udp, real}, true},
        {"loses its weight", netlink::EditRealServer{udp, real, 0}, true},
        {"the first real server", netlink::AddRealServer{udp, real, 1}, true},
        {"one without weight", netlink::AddRealServer{udp, real, 0}, false},
        {"the first weight", netlink::EditRealServer{udp, real, 1}, true},
        {"TCP: a virtual server", netlink::AddVirtualServer{tcp, {}}, false},
        {"TCP: a real server goes", netlink::DeleteRealServer{tcp, real}, false},
        {"TCP: loses its weight", netlink::EditRealServer{tcp, real, 0}, false},
        {"TCP: the first real server", netlink::AddRealServer{tcp, real, 1}, false},
        {"a real server of a mark goes", netlink::DeleteRealServer{marked, real}, true},
        {"a route", netlink::AddRoute{{udp.address}}, false},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        CHECK(may_leave_stale_flows(row.change, first) == row.may);
    }
    CHECK_FALSE(may_leave_stale_flows(netlink::AddRealServer{udp, real, 1}, second));
    CHECK_FALSE(may_leave_stale_flows(netlink::EditRealServer{udp, real, 2}, second));
}

TEST_CASE("an entry of a client that came before its front end leads to the front end itself, unanswered") {
    const EarlyClients early({front_end("[fd00:96::5]:80", Protocol::tcp), front_end("10.96.0.6:80", Protocol::sctp),
                              front_end("10.96.0.5:80", Protocol::tcp)});
    struct Row {
        const char* what;
        Protocol protocol;
        const char* to;
        const char* answerer;
        bool answered;
        bool stale;
    };
    const Row rows[] = {
        {"a client that came before", Protocol::tcp, "10.96.0.5:80", "10.96.0.5:80", false, true},
        {"of SCTP", Protocol::sctp, "10.96.0.6:80", "10.96.0.6:80", false, true},
        {"of IPv6", Protocol::tcp, "[fd00:96::5]:80", "[fd00:96::5]:80", false, true},
        {"it was answered: by whoever had that address", Protocol::tcp, "10.96.0.5:80", "10.96.0.5:80", true, false},
        {"IPVS has sent it to a pod", Protocol::tcp, "10.96.0.5:80", "10.1.0.11:8080", false, false},
        {"a pod that has answered", Protocol::tcp, "10.96.0.5:80", "10.1.0.11:8080", true, false},
        {"another port", Protocol::tcp, "10.96.0.5:81", "10.96.0.5:81", false, false},
        {"another protocol", Protocol::sctp, "10.96.0.5:80", "10.96.0.5:80", false, false},
        {"not a front end", Protocol::tcp, "192.0.2.1:80", "192.0.2.1:80", false, false},
        {"UDP", Protocol::udp, "10.96.0.5:80", "10.96.0.5:80", false, false},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        netlink::Flow one = flow(row.to, row.answerer);
        one.to.protocol = row.protocol;
        one.answered = row.answered;
        CHECK(early.is_stale(one) == row.stale);
    }
    CHECK(early.has(Protocol::tcp, false));
    CHECK(early.has(Protocol::tcp, true));
    CHECK(early.has(Protocol::sctp, false));
    CHECK_FALSE(early.has(Protocol::sctp, true));
    CHECK(may_have_early_clients(front_end("10.96.0.5:80", Protocol::tcp)));
    CHECK(may_have_early_clients(front_end("10.96.0.5:80", Protocol::sctp)));
    CHECK_FALSE(may_have_early_clients(front_end("10.96.0.5:80", Protocol::udp)));  // looked for as all of UDP
    CHECK_FALSE(may_have_early_clients(marked));                                    // there is one with the address too
}

TEST_CASE("what IPVS carries is under way, whatever its entry says") {
    std::vector<netlink::Flow> flows(3, flow("10.96.0.5:80", "10.96.0.5:80"));
    for (std::size_t i = 0; i < flows.size(); ++i) {
        flows[i].to.protocol = Protocol::tcp;
        flows[i].client.port = static_cast<std::uint16_t>(4000 + i);
    }
    const auto connections = [&](const auto& visit) {
        visit({flows[1].client, flows[1].to});
        visit({flows[0].client, front_end("10.96.0.9:80", Protocol::tcp)});
        visit({flows[0].client, front_end("10.96.0.5:80", Protocol::udp)});
    };
    const auto left = not_carried(flows, connections);
    REQUIRE(left.size() == 2);
    CHECK(left[0].client == flows[0].client);
    CHECK(left[1].client == flows[2].client);
    CHECK(left[1].id == flows[2].id);
    CHECK(not_carried({}, [](const auto&) { FAIL("nothing is to be looked up"); }).empty());
}

TEST_CASE("the larger the table, the longer the pause") {
    CHECK(pause_after(1ms) == 200ms);
    CHECK(pause_after(200ms) == 1800ms);
    CHECK(pause_after(60s) == 10s);
}
