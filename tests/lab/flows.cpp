// Fills connection tracking with UDP entries, and times what podferry does with them.
//     lab-flows ADDRESS PORT ANSWERER PORT COUNT NETWORK
// makes COUNT entries of clients in NETWORK and up, to ADDRESS:PORT, whose answers come from ANSWERER:PORT; then prints
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

/// The address `offset` after `first`, which ends in zeros.
Address later(const Address& first, std::uint32_t offset) {
    std::vector<std::uint8_t> bytes(first.bytes().begin(), first.bytes().end());
    for (std::size_t i = bytes.size(); offset != 0; offset >>= 8)
        bytes[--i] = static_cast<std::uint8_t>(offset & 0xff);
    return Address(bytes);
}

std::size_t fill(Socket& socket, const VirtualServer& to, const RealServer& answerer, std::uint32_t count,
                 const Address& network) {
    std::size_t refused = 0;
    Batch batch;
    for (std::uint32_t i = 0; i < count; ++i) {
        const RealServer client{later(network, i >> 4), static_cast<std::uint16_t>(20000 + (i & 15))};
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
    if (argc != 7) {
        std::fputs("usage: lab-flows ADDRESS PORT ANSWERER PORT COUNT NETWORK\n", stderr);
        return 2;
    }
    using base::make_address;
    const auto port = [&](int index) { return static_cast<std::uint16_t>(std::stoi(argv[index])); };
    const VirtualServer to{make_address(argv[1]), Protocol::udp, port(2)};
    const RealServer answerer{make_address(argv[3]), port(4)};
    Socket socket(NETLINK_NETFILTER);
    const std::size_t refused =
        fill(socket, to, answerer, static_cast<std::uint32_t>(std::stoul(argv[5])), make_address(argv[6]));
    Conntrack conntrack;
    std::size_t seen = 0;
    const auto start = std::chrono::steady_clock::now();
    conntrack.each_udp(to.address.is_v6(), [&](const Flow&) { ++seen; });
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    std::printf("%zu refused, %zu there, %.1f ms\n", refused, seen, took.count());
    return refused == 0 ? 0 : 1;
}
