// Who has a virtual server that several services want, and what becomes of it when that changes.
#include "proxy/engine/desired.hpp"

#include <catch2/catch.hpp>
#include <random>

#include "build.hpp"

using namespace proxy;
using netlink::Set;
using netlink::VirtualServer;

namespace {

const VirtualServer front{build::address("203.0.113.9"), netlink::Protocol::tcp, 80};
const VirtualServer other_port{build::address("203.0.113.9"), netlink::Protocol::tcp, 81};
const Address node_address = build::address("192.168.50.10");
const Address second_node_address = build::address("192.168.51.10");

netlink::Element element(Set set, const VirtualServer& server) {
    return {set, has_address(set) ? server.address : Address{}, server.protocol, server.port};
}

/// One real server, 10.1.0.`pod`; elements of `sets`; the address with its route.
ServicePlan wish(const std::vector<VirtualServer>& servers, int pod, const std::vector<Set>& sets = {},
                 FrontEndKind kind = FrontEndKind::external_ip) {
    ServicePlan plan;
    for (const VirtualServer& server : servers) {
        netlink::VirtualServerState state;
        state.real_servers[{build::address("10.1.0." + std::to_string(pod)), 8080}] = 1;
        plan.virtual_servers.push_back({server, state, kind});
        plan.routes.push_back({server.address});
        for (const Set set : sets)
            plan.elements.push_back(element(set, server));
    }
    return plan;
}

/// Seconds after the epoch; 0: not known.
Age age(int created, std::uint64_t round = 1) {
    return {std::chrono::sys_seconds(std::chrono::seconds(created)), round};
}

/// Services that are planned again whenever Desired asks for it, as the engine does.
struct World {
    std::map<std::string, std::pair<ServicePlan, Age>> wishes;
    Desired desired;

    void settle() {
        for (auto names = desired.exchange_unsettled(); !names.empty(); names = desired.exchange_unsettled())
            for (const api::ObjectName& name : names)
                desired.replace(name, wishes.at(name.name).first, wishes.at(name.name).second);
    }
    void want(const std::string& name, const ServicePlan& plan, const Age& age) {
        wishes[name] = {plan, age};
        desired.replace({"shop", name}, plan, age);
        settle();
    }
    void remove(const std::string& name) {
        wishes.erase(name);
        desired.remove({"shop", name});
        settle();
    }
    std::string owner(const VirtualServer& server = front) const {
        const auto* name = desired.owner(server);
        return name == nullptr ? "" : name->name;
    }
    /// "b waits for a": of each conflict.
    std::string conflicts() const {
        std::string text;
        for (const Conflict& conflict : desired.claims().conflicts())
            text += (text.empty() ? "" : ", ") + conflict.service.name + " waits for " + conflict.owner.name;
        return text;
    }
    /// What the kernel would be asked to do.
    std::string changes(netlink::KernelState& kernel) {
        Touched touched = desired.wishes().exchange_touched();
        touched.tidy();
        std::string text;
        for (const netlink::Change& change : changes_for(touched, desired.wishes(), kernel)) {
            text += (text.empty() ? "" : "; ") + netlink::to_string(change);
            netlink::advance(kernel, change);
        }
        return text;
    }
};

}  // namespace

TEST_CASE("of two that want one front end the one of the better kind has it, then the older, in whatever order") {
    using enum FrontEndKind;
    struct Row {
        const char* what;
        FrontEndKind kind_a;
        Age a;
        FrontEndKind kind_b;
        Age b;
        const char* owner;
    };
    const Row rows[] = {
        {"created first", external_ip, age(100), external_ip, age(200), "a"},
        {"created first, by name the last", external_ip, age(200), external_ip, age(100), "b"},
        {"created in the same second: by name", external_ip, age(100), external_ip, age(100), "a"},
        {"created decides over who wanted it first", external_ip, age(200, 1), external_ip, age(100, 2), "b"},
        {"not known: who wanted it first", external_ip, age(0, 2), external_ip, age(0, 1), "b"},
        {"not known, wanted in the same round: by name", external_ip, age(0, 1), external_ip, age(0, 1), "a"},
        {"known before not known", external_ip, age(0, 1), external_ip, age(300, 2), "b"},
        {"a ClusterIP before an older external IP", external_ip, age(100), cluster_ip, age(200), "b"},
        {"a ClusterIP before a node port", node_port, age(100), cluster_ip, age(200), "b"},
        {"a node port before a load balancer's address", load_balancer, age(100), node_port, age(200), "b"},
        {"a node port before an external IP", external_ip, age(100), node_port, age(200), "b"},
        {"a load balancer's address before an external IP", external_ip, age(100), load_balancer, age(200), "b"},
        {"the kind before what is known of the age", external_ip, age(100), cluster_ip, age(0, 9), "b"},
        {"of one kind by age", load_balancer, age(200), load_balancer, age(100), "b"},
    };
    const bool reversed = GENERATE(false, true);
    for (const Row& row : rows) {
        CAPTURE(row.what, reversed);
        World world;
        if (reversed)
            world.want("b", wish({front}, 2, {}, row.kind_b), row.b);
        world.want("a", wish({front}, 1, {}, row.kind_a), row.a);
        if (!reversed)
            world.want("b", wish({front}, 2, {}, row.kind_b), row.b);
        const std::string loser = world.owner() == "a" ? "b" : "a";
        CHECK(world.owner() == row.owner);
        CHECK(world.conflicts() == loser + " waits for " + row.owner);
        CHECK(world.desired.claims().conflict_count() == 1);
        CHECK(world.desired.servers_of({"shop", loser}).empty());
        CHECK(world.desired.servers_of({"shop", row.owner}).size() == 1);
        world.remove(row.owner);
        CHECK(world.owner() == loser);
        CHECK(world.conflicts().empty());
        CHECK(world.desired.claims().conflict_count() == 0);
        world.remove(loser);
        CHECK(world.owner().empty());
        CHECK(world.desired.wishes().virtual_servers().size() == 0);
    }
}

TEST_CASE("a conflict says who has the front end, and why") {
    using enum FrontEndKind;
    struct Row {
        FrontEndKind kind;
        FrontEndKind owner_kind;
        const char* why;
    };
    const Row rows[] = {
        {external_ip, external_ip, "Service shop/a, whose claim is older; this"},
        {external_ip, cluster_ip, "Service shop/a as a ClusterIP, which goes before an external IP; this"},
        {load_balancer, node_port, "Service shop/a as a node port, which goes before a load balancer's address; this"},
    };
    for (const Row& row : rows)
        CHECK(to_string(Conflict{front, {"shop", "b"}, {"shop", "a"}, row.kind, row.owner_kind}) ==
              "203.0.113.9:80/tcp is already served for " + std::string(row.why) +
                  " front end waits until that one goes or is given another address or port");
}

TEST_CASE("a front end changes hands when what it is to its Service changes") {
    World world;
    world.want("a", wish({front}, 1, {}, FrontEndKind::external_ip), age(1));
    world.want("b", wish({front}, 2, {}, FrontEndKind::external_ip), age(2));
    CHECK(world.owner() == "a");
    world.want("b", wish({front}, 2, {}, FrontEndKind::load_balancer), age(2));
    CHECK(world.owner() == "b");
    world.want("a", wish({front}, 1, {}, FrontEndKind::load_balancer), age(1));
    CHECK(world.owner() == "a");
    world.want("a", wish({front}, 1, {}, FrontEndKind::external_ip), age(1));
    CHECK(world.owner() == "b");
    CHECK(world.desired.find(front)->real_servers.begin()->first.address == build::address("10.1.0.2"));
}

TEST_CASE("only front ends whose conflicts may have changed are told") {
    World world;
    world.want("a", wish({front, other_port}, 1), age(1));
    CHECK(world.desired.claims().exchange_changed().empty());
    world.want("b", wish({front}, 2), age(2));
    CHECK(world.desired.claims().exchange_changed() == std::set{front});
    CHECK(world.desired.claims().conflicts_of(front).size() == 1);
    CHECK(world.desired.claims().conflicts_of(other_port).empty());
    world.want("c", wish({other_port}, 3), age(3));
    CHECK(world.desired.claims().exchange_changed() == std::set{other_port});
    world.remove("a");
    CHECK(world.desired.claims().exchange_changed() == std::set{front, other_port});
    CHECK(world.desired.claims().conflicts().empty());
    world.want("d", wish({}, 4), age(4));
    CHECK(world.desired.claims().exchange_changed().empty());
}

TEST_CASE("what is left out with lost front ends costs what there is, not the product") {
    const auto look_ups = [](std::size_t count) {
        std::vector<VirtualServer> wanted;
        std::vector<netlink::Element> elements;
        for (std::size_t i = 0; i < count; ++i) {
            wanted.push_back({front.address, netlink::Protocol::tcp, static_cast<std::uint16_t>(i + 1)});
            for (const Set set : {Set::served, Set::external, Set::masquerade, Set::node_port})
                elements.push_back(element(set, wanted.back()));
        }
        std::size_t asked = 0;
        leave_out_lost(wanted,
                       {[&](const VirtualServer& server) { return ++asked, server.port != 7; },
                        [&](const base::Address&) { return ++asked, true; }},
                       elements);
        CHECK(elements.size() == 4 * count - 4);
        return asked;
    };
    const std::size_t some = look_ups(500);
    CHECK(some <= 500 * 5);
    CHECK(look_ups(1000) == 2 * some);
}

TEST_CASE("a younger one takes over in place: real servers are exchanged, nothing else is deleted or added") {
    World world;
    netlink::KernelState kernel;
    world.want("a", wish({front}, 1, {Set::served, Set::masquerade}), age(1));
    world.want("b", wish({front}, 2, {Set::served, Set::masquerade}), age(2));
    world.changes(kernel);
    SECTION("the older one is deleted") {
        world.remove("a");
    }
    SECTION("the older one wants another port") {
        world.want("a", wish({}, 1), age(1));
    }
    CHECK(world.changes(kernel) ==
          "add-server 203.0.113.9:80/tcp 10.1.0.2:8080 weight 1; delete-server 203.0.113.9:80/tcp 10.1.0.1:8080");
    CHECK(world.conflicts().empty());
    world.want("a", wish({front}, 1, {Set::served, Set::masquerade}), age(1));
    CHECK(world.changes(kernel) ==
          "add-server 203.0.113.9:80/tcp 10.1.0.1:8080 weight 1; delete-server 203.0.113.9:80/tcp 10.1.0.2:8080");
}

TEST_CASE("the loser's elements of the front end are not in force, its others are") {
    World world;
    const auto has = [&](Set set, const VirtualServer& server) {
        return world.desired.wishes().wants(element(set, server));
    };
    world.want("b", wish({front, other_port}, 2, {Set::served, Set::masquerade}), age(2));
    CHECK(has(Set::masquerade, front));
    world.want("a", wish({front}, 1, {Set::served, Set::external_local, Set::dropped_outside}), age(1));
    CHECK_FALSE(has(Set::masquerade, front));
    CHECK(has(Set::masquerade, other_port));
    CHECK(has(Set::external_local, front));
    CHECK(has(Set::served, front));
    CHECK(world.owner(other_port) == "b");
    world.remove("a");
    CHECK(has(Set::masquerade, front));
    CHECK_FALSE(has(Set::external_local, front));
    CHECK_FALSE(has(Set::dropped_outside, front));
    CHECK(has(Set::served, front));
}

TEST_CASE("a node port's elements go when the last of its front ends is lost") {
    World world;
    const auto at = [](const Address& address) { return VirtualServer{address, netlink::Protocol::tcp, 30080}; };
    const netlink::Element node_port = element(Set::node_port, at(node_address));
    NodeFacts facts;
    facts.node_port_addresses = {node_address};
    SECTION("one node address") {
        world.desired.replace({}, plan_node(facts));
        world.want("ports", wish({at(node_address)}, 1, {Set::node_port}), age(2));
        world.want("balanced", wish({at(node_address)}, 2, {Set::served, Set::external_local}), age(1));
        CHECK_FALSE(world.desired.wishes().wants(node_port));
    }
    SECTION("two node addresses") {
        facts.node_port_addresses.push_back(second_node_address);
        world.desired.replace({}, plan_node(facts));
        world.want("ports", wish({at(node_address), at(second_node_address)}, 1, {Set::node_port}), age(2));
        world.want("balanced", wish({at(node_address)}, 2, {Set::served, Set::external_local}), age(1));
        CHECK(world.desired.wishes().wants(node_port));
        CHECK(world.owner(at(second_node_address)) == "ports");
    }
    CHECK(world.owner(at(node_address)) == "balanced");
    world.remove("balanced");
    CHECK(world.owner(at(node_address)) == "ports");
    CHECK(world.desired.wishes().wants(node_port));
}

TEST_CASE("an address that services share is there as long as one of them wants it") {
    World world;
    netlink::KernelState kernel;
    world.want("a", wish({front}, 1, {Set::served}), age(1));
    world.want("b", wish({other_port}, 2, {Set::served}), age(2));
    world.changes(kernel);
    world.remove("a");
    CHECK(world.changes(kernel) == "delete-service 203.0.113.9:80/tcp; delete-element served 203.0.113.9 tcp 80");
    world.remove("b");
    CHECK(world.changes(kernel).find("delete-route 203.0.113.9") != std::string::npos);
}

TEST_CASE("several wait in the order of their age") {
    World world;
    for (const auto& [name, created] : {std::pair("c", 3), std::pair("a", 1), std::pair("b", 2)})
        world.want(name, wish({front}, created), age(created));
    CHECK(world.conflicts() == "b waits for a, c waits for a");
    world.want("b", wish({}, 2), age(2));
    CHECK(world.conflicts() == "c waits for a");
    world.want("b", wish({front}, 2), age(2));
    world.remove("a");
    CHECK(world.owner() == "b");
    CHECK(world.conflicts() == "c waits for b");
    world.want("b", wish({front}, 2), age(4));  // deleted and created again, and nobody saw the gap
    CHECK(world.owner() == "c");
    CHECK(world.conflicts() == "b waits for c");
}

TEST_CASE("a service that is created again is as young as its new self") {
    World world;
    world.want("a", wish({front}, 1), age(1));
    world.want("a", wish({front}, 1), age(3));
    world.want("b", wish({front}, 2), age(2));
    CHECK(world.owner() == "b");
}

TEST_CASE("who waits and changes, changes what will be there") {
    World world;
    world.want("a", wish({front}, 1), age(1));
    world.want("b", wish({front}, 2), age(2));
    world.want("b", wish({front}, 3), age(2));
    CHECK(world.owner() == "a");
    world.remove("a");
    CHECK(world.desired.find(front)->real_servers.begin()->first.address == build::address("10.1.0.3"));
}

TEST_CASE("after any sequence of changes the oldest that wants a front end has it, with its elements alone") {
    std::mt19937 random(7);
    World world;
    const std::vector<VirtualServer> all = {front, other_port, {node_address, netlink::Protocol::tcp, 80}};
    const Set sets[] = {Set::masquerade, Set::external_local, Set::dropped_outside, Set::cluster};
    const char* const names[] = {"a", "b", "c", "d"};
    std::map<std::string, std::vector<VirtualServer>> wanted;
    for (int step = 0; step < 3000; ++step) {
        const std::size_t who = random() % 4;
        std::vector<VirtualServer> servers;
        for (const VirtualServer& server : all)
            if (random() % 2 == 0)
                servers.push_back(server);
        if (random() % 4 == 0) {
            wanted.erase(names[who]);
            world.remove(names[who]);
        } else {
            wanted[names[who]] = servers;
            // Every service has a set of its own, and is created before those whose names come before its own.
            world.want(names[who], wish(servers, static_cast<int>(who), {sets[who]}), age(100 - static_cast<int>(who)));
        }
        std::size_t waiting = 0;
        for (const VirtualServer& server : all) {
            std::string oldest;
            for (const auto& [name, has] : wanted)
                if (std::find(has.begin(), has.end(), server) != has.end()) {
                    waiting += oldest.empty() ? 0 : 1;
                    oldest = name;
                }
            REQUIRE(world.owner(server) == oldest);
            for (std::size_t i = 0; i < 4; ++i)
                REQUIRE(world.desired.wishes().wants(element(sets[i], server)) == (names[i] == oldest));
        }
        REQUIRE(world.desired.claims().conflicts().size() == waiting);
    }
}

TEST_CASE("among thousands of services a conflict costs what it touches") {
    World world;
    for (int i = 0; i < 5000; ++i) {
        const VirtualServer server{
            build::address("10.96." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1)),
            netlink::Protocol::tcp, 80};
        world.want("s" + std::to_string(i), wish({server}, 1), age(1));
    }
    world.want("a", wish({front}, 1), age(1));
    world.want("b", wish({front}, 2), age(2));
    world.desired.wishes().exchange_touched();
    world.desired.remove({"shop", "a"});
    CHECK(world.desired.exchange_unsettled() == std::set<api::ObjectName>{{"shop", "b"}});
    CHECK(world.desired.wishes().exchange_touched().virtual_servers.size() == 1);
}

TEST_CASE("all that is wanted, beside all that is there") {
    const netlink::VirtualServer web{build::address("10.96.0.5"), netlink::Protocol::tcp, 80};
    const netlink::VirtualServer old{build::address("10.96.0.6"), netlink::Protocol::tcp, 80};
    const netlink::Element served{netlink::Set::served, web.address, netlink::Protocol::tcp, 80};
    Desired desired;
    ServicePlan plan;
    plan.virtual_servers = {{web, {}}};
    plan.routes = {{web.address}};
    plan.elements = {served};
    desired.replace({"shop", "web"}, plan);
    desired.replace({"shop", "twin"}, {{}, {{web.address}}, {served}});
    while (desired.wishes().has_touched())
        desired.wishes().exchange_touched();
    netlink::KernelState kernel;
    kernel.virtual_servers[old];
    kernel.routes = {{old.address}, {web.address}};

    const Touched all = all_objects(desired.wishes(), kernel);
    CHECK(all.virtual_servers == std::vector{web, old});
    CHECK(all.routes == std::vector<netlink::LocalRoute>{{web.address}, {old.address}});
    CHECK(all.elements == std::vector{served});
    for (const netlink::Change& change : changes_for(all, desired.wishes(), kernel))
        netlink::advance(kernel, change);
    CHECK(kernel.virtual_servers.size() == 1);
    CHECK(kernel.virtual_servers.contains(web));
    CHECK(kernel.routes == std::set<netlink::LocalRoute>{{web.address}});
    CHECK(kernel.elements == std::set{served});
    CHECK(changes_for(all_objects(desired.wishes(), kernel), desired.wishes(), kernel).empty());
}
