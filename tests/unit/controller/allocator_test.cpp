// Which statuses are written, and when again.
#include "proxy/controller/address_allocator.hpp"

#include <catch2/catch.hpp>

#include "controller_world.hpp"

using namespace proxy;
using namespace std::chrono_literals;
using world::make;

namespace {

using Kind = WriteResult::Kind;

BalancedServicePtr share(api::BalancedService service, const std::string& version) {
    service.version = version;
    return std::make_shared<const api::BalancedService>(std::move(service));
}

/// A leader with Services.
struct Leader {
    AddressAllocator allocator;
    AddressAllocator::Time now{1h};

    explicit Leader(const std::string& addresses, std::vector<BalancedServicePtr> services = {},
                    const std::vector<AddressReservation>& reservations = {}) {
        allocator.configure(world::config("pools: [{name: p, addresses: [" + addresses + "]}]"));
        allocator.begin(reservations);
        allocator.list(std::move(services), now);
    }

    /// "a+192.0.2.1 b" : who is written, with which addresses; `lost`: those of shop/NAME are not answered.
    std::string write(Kind kind = Kind::written) {
        std::string text;
        for (const StatusWrite& write : allocator.plan(now, 64)) {
            text += (text.empty() ? "" : " ") + write.service.name;
            for (const base::Address& address : addresses_of(write.ingress))
                text += "+" + address.to_string();
            allocator.finish(write, {kind, kind == Kind::written ? applied(write) : nullptr}, now);
        }
        return text;
    }

    BalancedServicePtr applied(const StatusWrite& write) const {
        api::BalancedService service = *allocator.services().find(write.service);
        service.ingress = write.ingress;
        service.condition = write.condition;
        return share(std::move(service), std::to_string(std::stoi(write.version) + 100));
    }
};

}  // namespace

TEST_CASE("each Service is written once, the oldest first") {
    api::BalancedService a = make("a");
    a.created = std::chrono::sys_seconds(9s);
    Leader leader("192.0.2.1-192.0.2.2", {share(a, "5"), share(make("b"), "6")});
    CHECK(leader.write() == "b+192.0.2.1 a+192.0.2.2");
    CHECK(leader.write().empty());
    CHECK(leader.allocator.reservations().empty());
    leader.allocator.put(share(a, "5"));  // a late word of the watch
    CHECK(leader.write().empty());
    CHECK(leader.allocator.is_idle());
}

TEST_CASE("who finds no address is told once, and gets one when one is free") {
    api::BalancedService late = make("late");
    late.created = std::chrono::sys_seconds(9s);
    Leader leader("192.0.2.1", {share(make("a"), "5"), share(late, "6")});
    CHECK(leader.write() == "a+192.0.2.1 late");
    CHECK(leader.allocator.unsatisfied().at({"shop", "late"}) == AddressFate::pool_exhausted);
    leader.now += 1h;
    CHECK(leader.write().empty());
    leader.allocator.remove({"shop", "a"});
    CHECK(leader.write() == "late+192.0.2.1");
    CHECK(leader.allocator.unsatisfied().empty());

    leader.allocator.put(share(make("third"), "500"));
    CHECK(leader.write() == "third");
    leader.allocator.configure(world::config("pools: [{name: q, addresses: [192.0.2.1-192.0.2.2]}]"));
    CHECK(leader.write() == "third+192.0.2.2 late+192.0.2.1");  // the one hears of its pool's new name
}

TEST_CASE("a write that fails is tried again, ever more seldom, and its address is not given away meanwhile") {
    const auto kind = GENERATE(Kind::unknown, Kind::refused, Kind::conflict);
    Leader leader("192.0.2.1-192.0.2.2", {share(make("a"), "5")});
    CHECK(leader.write(kind) == "a+192.0.2.1");
    CHECK(leader.allocator.reservations().size() == (kind == Kind::unknown ? 1 : 0));
    leader.allocator.put(share(make("b"), "7"));
    CHECK(leader.write() == (kind == Kind::unknown ? "b+192.0.2.2" : "b+192.0.2.1"));
    CHECK(leader.allocator.next_moment() == leader.now + 1s);
    leader.now += 1s;
    const std::string again = kind == Kind::unknown ? "a+192.0.2.1" : "a+192.0.2.2";
    CHECK(leader.write(kind) == again);
    leader.now += 1s;
    CHECK(leader.write(kind).empty());
    leader.now += 1s;
    CHECK(leader.write() == again);
    CHECK(leader.allocator.reservations().empty());
    CHECK_FALSE(leader.allocator.next_moment());
}

TEST_CASE("a new leader goes on with what the former one has reserved") {
    const std::vector<AddressReservation> reserved{
        {{"shop", "a"}, "uid-a", "5", {base::make_address("192.0.2.2")}},  // may still be written
        {{"shop", "b"}, "uid-b", "6", {base::make_address("192.0.2.1")}},  // b has changed since: it cannot
        {{"shop", "gone"}, "u", "7", {base::make_address("192.0.2.3")}}};
    api::BalancedService b = make("b");
    b.created = std::chrono::sys_seconds(9s);
    Leader leader("192.0.2.1-192.0.2.4", {share(make("a"), "5"), share(b, "66"), share(make("c"), "67")}, reserved);
    CHECK(leader.allocator.reservations().size() == 1);
    CHECK(leader.write() == "a+192.0.2.2 c+192.0.2.1 b+192.0.2.3");
}

TEST_CASE("a reservation that nobody wants any more is ended by a write that adds nothing") {
    const std::vector<AddressReservation> reserved{{{"shop", "a"}, "uid-a", "5", {base::make_address("192.0.2.2")}}};
    api::BalancedService a = make("a");
    a.terminating = true;
    a.families = {api::Family::ipv6};
    a.condition = {"True", "AddressAllocated", ""};
    Leader leader("192.0.2.1-192.0.2.4", {share(a, "5")}, reserved);
    CHECK(leader.write() == "a");
    CHECK(leader.allocator.reservations().empty());
    CHECK(leader.allocator.ledger().size() == 0);
}

TEST_CASE("a Service of another type gives its address back, and one of another class is left alone") {
    api::BalancedService was = make("was");
    was.is_balancer = false;
    was.condition = {"True", "AddressAllocated", "192.0.2.1 of pool p"};
    was.ingress = {{base::make_address("192.0.2.1"), api::IpMode::vip, {}}};
    api::BalancedService other = make("other");
    other.balancer_class = "example.org/lb";
    other.ingress = {{base::make_address("192.0.2.2"), api::IpMode::vip, {}}};
    Leader leader("192.0.2.1-192.0.2.2", {share(was, "5"), share(other, "6"), share(make("new"), "7")});
    CHECK(leader.write() == "new was");  // nothing is free yet
    CHECK(leader.write() == "new+192.0.2.1");
}

TEST_CASE("reservations have a bound, and those beyond it wait for their turn") {
    std::vector<BalancedServicePtr> services;
    for (int i = 0; i < 200; ++i)
        services.push_back(share(make("s" + std::to_string(i)), std::to_string(i + 1)));
    Leader leader("192.0.2.0/24", services);
    const auto first = leader.allocator.plan(leader.now, 1000);
    CHECK(first.size() == AddressAllocator::most_reservations);
    CHECK(leader.allocator.plan(leader.now, 1000).empty());
    for (const StatusWrite& write : first)
        leader.allocator.finish(write, {Kind::written, leader.applied(write)}, leader.now);
    CHECK(leader.allocator.plan(leader.now, 1000).size() == 200 - first.size());
}
