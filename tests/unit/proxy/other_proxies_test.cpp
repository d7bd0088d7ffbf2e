// Devices, chains and ports of other service proxies, and what is taken over from them.
#include "proxy/host/other_proxies.hpp"

#include <catch2/catch.hpp>

using namespace proxy;
using namespace std::chrono_literals;

namespace {

const Takeover::Time start = Takeover::Time{} + 1h;

netlink::HostAddress on(const std::string& link, const std::string& address) {
    const base::Address parsed = *base::parse_address(address);
    return {parsed, parsed.bits(), link, false};
}

/// All of that name's kind are dummies, as far as they are asked for.
HostAddresses sorted(std::vector<netlink::HostAddress> all, const std::string& kind = "dummy") {
    return sort_out(std::move(all), [&](const std::string&) { return kind; });
}

std::vector<ServiceDevice> kube_ipvs(std::initializer_list<const char*> addresses) {
    std::vector<netlink::HostAddress> all;
    for (const char* address : addresses)
        all.push_back(on("kube-ipvs0", address));
    return sorted(std::move(all)).devices;
}

std::vector<ServiceDevice> many(int count) {
    ServiceDevice device{DeviceOwner::kube_proxy, "kube-ipvs0", {}};
    for (int i = 0; i < count; ++i)
        device.addresses.push_back(
            on("kube-ipvs0", "10.96." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1)));
    return {device};
}

/// What a device has after a removal.
std::vector<ServiceDevice> without(std::vector<ServiceDevice> devices, const Removal& removal) {
    std::erase_if(devices.front().addresses, [&](const auto& one) {
        return std::find(removal.addresses.begin(), removal.addresses.end(), one) != removal.addresses.end();
    });
    if (devices.front().addresses.empty())
        devices.clear();
    return devices;
}

}  // namespace

TEST_CASE("a device of Services is known by name and kind, and its addresses are not the host's own") {
    struct Row {
        const char* link;
        const char* address;
        const char* kind;
        const char* owner;  // empty: the host
    };
    const auto row = GENERATE(
        Row{"eth0", "10.0.0.1", "", ""}, Row{"kube-ipvs0", "10.96.0.1", "dummy", "kube-proxy"},
        Row{"kube-ipvs0", "fd00:96::1", "dummy", "kube-proxy"}, Row{"kube-ipvs0", "10.96.0.1", "veth", ""},
        Row{"kube-ipvs01", "10.96.0.1", "dummy", ""}, Row{"kube-dummy-if", "10.96.0.1", "dummy", "kube-router"},
        Row{"nodelocaldns", "10.96.0.10", "dummy", "NodeLocal DNSCache"},
        Row{"nodelocaldns", "169.254.20.10", "dummy", ""}, Row{"kube-ipvs0", "fe80::1", "dummy", ""});
    const HostAddresses found = sorted({on(row.link, row.address)}, row.kind);
    CHECK(found.own.size() == (*row.owner == '\0' ? 1 : 0));
    REQUIRE(found.devices.size() == (*row.owner == '\0' ? 0 : 1));
    if (found.devices.empty())
        return;
    CHECK(word(found.devices[0].owner) == std::string(row.owner));
    const bool of_dns_cache = found.devices[0].owner == DeviceOwner::node_local_dns;
    CHECK(held_by_dns_cache(found.devices).size() == (of_dns_cache ? 1 : 0));
    CHECK(held_by_proxies(found.devices).size() == (of_dns_cache ? 0 : 1));
    REQUIRE(told_at_start(found.devices).size() == 1);
    CHECK_THAT(told_at_start(found.devices)[0],
               Catch::Contains(row.link) && Catch::Contains(row.owner) && Catch::Contains(row.address));
}

TEST_CASE("what a proxy that is gone has left is taken over in slices, and the device goes with the last of them") {
    OtherProxies others;
    auto devices = many(600);
    std::vector<std::size_t> slices;
    for (int i = 0; i < 10; ++i) {
        others.look_at_devices(devices, start);
        CHECK(others.problems().empty());
        const auto removal = others.next_removal(start);
        if (!removal)
            break;
        CHECK(removal->whole == (slices.size() == 2));
        slices.push_back(removal->addresses.size());
        others.note_removed(*removal);
        devices = without(devices, *removal);
    }
    CHECK(slices == std::vector<std::size_t>{256, 256, 88});
    CHECK(others.removed() == 600);
    CHECK_FALSE(others.has_marks(DeviceOwner::kube_proxy));
    CHECK(others.exchange_news().empty());
}

TEST_CASE("a proxy that puts its addresses back lives: it is named once, and taken from ever more seldom") {
    OtherProxies others;
    const auto devices = kube_ipvs({"10.96.0.1", "10.96.0.10"});
    others.look_at_devices(devices, start);
    others.note_removed(*others.next_removal(start));
    Takeover::Time now = start + 30s;
    std::vector<std::chrono::seconds> pauses;
    for (int i = 0; i < 6; ++i) {
        others.look_at_devices(devices, now);
        REQUIRE(others.problems().size() == 1);
        CHECK_THAT(others.problems()[0], Catch::StartsWith("kube-proxy runs on this node beside podferry: device "
                                                           "kube-ipvs0 with 2 addresses of Services, which it has put "
                                                           "back: take kube-proxy off this node"));
        CHECK(others.exchange_news().size() == (i == 0 ? 1 : 0));
        std::chrono::seconds pause{0};
        while (!others.next_removal(now + pause))
            pause += 1s;
        pauses.push_back(pause);
        now += pause;
        others.note_removed(*others.next_removal(now));
        now += 1s;
    }
    CHECK(pauses == std::vector<std::chrono::seconds>{60s, 120s, 240s, 480s, 600s, 600s});
    others.look_at_devices({}, now);  // it is taken off the node
    CHECK(others.problems().empty());
    CHECK(others.exchange_news().empty());
    others.look_at_devices(devices, now + 1h);
    CHECK(others.exchange_news().size() == 1);
}

TEST_CASE("one of several addresses that comes back is enough, and a device that others still change is no return") {
    Takeover takeover;
    const auto two = kube_ipvs({"10.96.0.1", "10.96.0.2"});
    takeover.look(&two[0], start);
    Removal removal = *takeover.next(start);
    removal.addresses.resize(1);
    takeover.note_removed(removal);
    const auto rest = kube_ipvs({"10.96.0.2"});
    takeover.look(&rest[0], start);
    CHECK_FALSE(takeover.is_contested());
    CHECK(takeover.next(start));
    takeover.look(&two[0], start);
    CHECK(takeover.is_contested());
    CHECK_FALSE(takeover.next(start));
}

TEST_CASE("while kube-proxy has its port it lives, and keeps its addresses") {
    OtherProxies others;
    others.look_at_devices(kube_ipvs({"10.96.0.1"}), start);
    others.note_port(9999, true);
    CHECK(others.next_removal(start));
    others.note_port(10256, true);
    CHECK_FALSE(others.next_removal(start));
    REQUIRE(others.problems().size() == 1);
    CHECK_THAT(others.problems()[0], Catch::Contains("and port 10256 is taken"));
    CHECK(others.exchange_news().size() == 1);
    others.note_port(10256, false);
    CHECK(others.next_removal(start));
    CHECK(others.problems().empty());
}

TEST_CASE("tables and chains of kube-proxy are named, whether it lives or has left them") {
    OtherProxies others;
    others.look_at_chains({"ip kube-proxy", "KUBE-SERVICES (ip nat)"});
    REQUIRE(others.problems().size() == 1);
    CHECK_THAT(others.problems()[0],
               Catch::StartsWith("kube-proxy runs on this node, or has left there: table ip kube-proxy of nftables, "
                                 "chain KUBE-SERVICES (ip nat) of iptables: "));
    CHECK(others.has_marks(DeviceOwner::kube_proxy));
    CHECK_FALSE(others.has_marks(DeviceOwner::kube_router));
    others.look_at_chains({});
    CHECK(others.problems().empty());
}

TEST_CASE("where another service proxy serves too") {
    struct Row {
        const char* what;
        const char* device;
        const char* address;
        bool theirs;
    };
    const auto row = GENERATE(Row{"a ClusterIP of its device", "kube-ipvs0", "10.96.0.5", true},
                              Row{"of kube-router's", "kube-dummy-if", "10.96.0.5", true},
                              Row{"a ClusterIP that it has not", "kube-ipvs0", "10.96.0.6", false},
                              Row{"a node port", "kube-ipvs0", "10.0.0.1", true},
                              Row{"a cache's", "nodelocaldns", "10.96.0.5", false},
                              Row{"a node port, and no other proxy", "nodelocaldns", "10.0.0.1", false});
    INFO(row.what);
    const auto theirs = served_by_proxies(sorted({on("eth0", "10.0.0.1"), on(row.device, "10.96.0.5")}));
    CHECK(theirs.contains(*base::parse_address(row.address)) == row.theirs);
}
