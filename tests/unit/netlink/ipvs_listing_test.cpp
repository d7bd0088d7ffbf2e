// What /proc/net/ip_vs says, however many virtual servers of it are wanted at once.
#include "netlink/ipvs_listing.hpp"

#include <catch2/catch.hpp>
#include <sstream>

using namespace netlink;

namespace {

Address address(const char* text) {
    return base::make_address(text);
}

const std::string head =
    "IP Virtual Server version 1.2.1 (size=4096)\n"
    "Prot LocalAddress:Port Scheduler Flags\n"
    "  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n";

struct Read {
    std::vector<ListedServer> servers;
    std::uint64_t connections = 0;
};

Read read(const std::string& text, std::size_t count = 100) {
    Read result;
    IpvsListing listing(std::make_unique<std::istringstream>(text), result.connections);
    for (auto part = listing.next(count); !part.empty(); part = listing.next(count))
        result.servers.insert(result.servers.end(), part.begin(), part.end());
    return result;
}

}  // namespace

TEST_CASE("IPVS's listing is read by any number of virtual servers") {
    const auto count = GENERATE(1U, 2U, 3U, 100U);
    CAPTURE(count);
    const Read got = read(head +
                              "TCP  0A600005:0050 rr  \n"
                              "  -> 0A01010B:1F90      Masq    1      2          3         \n"
                              "  -> 0A01010C:1F90      Masq    0      0          0         \n"
                              "UDP  [fd00:0096:0000:0000:0000:0000:0000:000a]:0035 mh ops \n"
                              "  -> [fd00:0001:0000:0000:0000:0000:0000:0011]:14E9      Masq    100    0          7\n"
                              "SCTP 0A600007:0009 rr \n",
                          count);
    REQUIRE(got.servers.size() == 3);
    CHECK(got.servers[0].server == VirtualServer{address("10.96.0.5"), Protocol::tcp, 80});
    CHECK(got.servers[0].real_servers ==
          RealServers{{{address("10.1.1.11"), 8080}, 1}, {{address("10.1.1.12"), 8080}, 0}});
    CHECK(got.servers[1].server == VirtualServer{address("fd00:96::a"), Protocol::udp, 53});
    CHECK(got.servers[1].real_servers == RealServers{{{address("fd00:1::11"), 5353}, 100}});
    CHECK(got.servers[2].server == VirtualServer{address("10.96.0.7"), Protocol::sctp, 9});
    CHECK(got.servers[2].real_servers.empty());
    CHECK(got.connections == 12);
}

TEST_CASE("what IPVS's listing does not say well enough is left out, and nothing beside it") {
    const auto odd = GENERATE(values<std::string>(
        {"FWM  00000005 rr  \n  -> 0A01010B:1F90      Masq    1      0          0\n",
         "TCP  0A600006:0050 rr persistent 10800 FFFFFFFF\n  -> 0A01010B:1F90      Masq    1      0          0\n",
         "TCP  0A600006:0050 rr\n  -> 0A01010B:1F90      Route   1      0          0\n",
         "TCP  0A600006:0050 rr\n  -> 0A01010B:1F90      Masq    many   0          0\n",
         "TCP  0A600006:0050 rr\n  -> 0A01010B\n", "TCP  0A60006:0050 rr\n", "TCP  [fd00::x]:0050 rr\n", "TCP\n",
         "DCCP 0A600006:0050 rr\n  -> 0A01010B:1F90      Masq    1      0          0\n", "\n"}));
    CAPTURE(odd);
    const std::string before = "TCP  0A600005:0050 rr  \n  -> 0A01010B:1F90      Masq    1      0          0\n";
    const std::string after = "TCP  0A600009:0050 rr  \n";
    const Read got = read(head + before + odd + after);
    REQUIRE(got.servers.size() == 2);
    CHECK(got.servers[0].server.address == address("10.96.0.5"));
    CHECK(got.servers[0].real_servers.size() == 1);
    CHECK(got.servers[1].server.address == address("10.96.0.9"));
}
