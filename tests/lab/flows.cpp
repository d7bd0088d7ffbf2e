// Fills connection tracking with UDP entries, and times what podferry does with them.
//     lab-flows ADDRESS PORT ANSWERER PORT COUNT
// makes COUNT entries of clients 172.16.0.0 and up, to ADDRESS:PORT, whose answers come from ANSWERER:PORT; then prints
// how many there are, and how many milliseconds a look through all of them takes.
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>

#include <chrono>
#include <cstdio>
#include <string>

#include "tests/support/flows.hpp"

namespace {

using namespace netlink;

constexpr std::uint32_t lifetime_s = 600;

std::size_t fill(Socket& socket, const VirtualServer& to, const RealServer& answerer, std::uint32_t count) {
    std::size_t refused = 0;
    Batch batch;
    for (std::uint32_t i = 0; i < count; ++i) {
        const RealServer client{boost::asio::ip::address_v4(0xac100000U + (i >> 4)),
                                static_cast<std::uint16_t>(20000 + (i & 15))};
        Message message = testing::entry({client, to, answerer, 0, std::nullopt});
        message.header()->nlmsg_type =
            static_cast<std::uint16_t>((message.header()->nlmsg_type & 0xff00) | IPCTNL_MSG_CT_NEW);
        message.header()->nlmsg_flags |= NLM_F_CREATE | NLM_F_EXCL;
        nla_put_u32(message.get(), CTA_TIMEOUT, htonl(lifetime_s));
        batch.append(message);
        if (!batch.full() && i + 1 < count)
            continue;
        refused += socket.transact(batch).size();
        batch.clear();
    }
    return refused;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 6) {
        std::fputs("usage: lab-flows ADDRESS PORT ANSWERER PORT COUNT\n", stderr);
        return 2;
    }
    const auto port = [&](int index) { return static_cast<std::uint16_t>(std::stoi(argv[index])); };
    Socket socket(NETLINK_NETFILTER);
    const std::size_t refused =
        fill(socket, {boost::asio::ip::make_address(argv[1]), Protocol::udp, port(2)},
             {boost::asio::ip::make_address(argv[3]), port(4)}, static_cast<std::uint32_t>(std::stoul(argv[5])));
    Conntrack conntrack;
    std::size_t seen = 0;
    const auto start = std::chrono::steady_clock::now();
    conntrack.each_udp(false, [&](const UdpFlow&) { ++seen; });
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    std::printf("%zu refused, %zu there, %.1f ms\n", refused, seen, took.count());
    return refused == 0 ? 0 : 1;
}
