// How long a change takes from the rename of a file until the kernel has committed it to sets of nftables.
//     bench-commit FROM TO SET...
// renames FROM to TO, waits until the kernel tells of elements of every SET and then of the end of their transaction,
// and prints the milliseconds that took. Ends with status 1 after 30 s. The kernel tells after the commit
// (nf_tables_commit), so with what the commit itself costs: a set of intervals would be copied then
// (nft_pipapo_commit).
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr timeval patience{30, 0};
constexpr int buffer_size = 64 << 20;

constexpr std::uint16_t type_of(int message) {
    return static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | message);
}

int open_notices() {
    const int notices = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
    const int group = NFNLGRP_NFTABLES;
    sockaddr_nl
        own{};  // for a number of its own: the kernel spares the sender of a batch its notices, as whom it gives 0
    own.nl_family = AF_NETLINK;
    ::bind(notices, reinterpret_cast<const sockaddr*>(&own), sizeof(own));
    ::setsockopt(notices, SOL_SOCKET, SO_RCVBUFFORCE, &buffer_size, sizeof(buffer_size));
    ::setsockopt(notices, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (::setsockopt(notices, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) != 0)
        std::perror("bench-commit: notices of nftables");
    return notices;
}

/// Takes out of `missing` the sets this message is about; true when it ends a transaction and none is missing.
bool ends_it(const nlmsghdr* message, std::set<std::string>& missing) {
    if (message->nlmsg_type == type_of(NFT_MSG_NEWGEN))
        return missing.empty();
    if (message->nlmsg_type != type_of(NFT_MSG_NEWSETELEM))
        return false;
    const std::string_view text(reinterpret_cast<const char*>(message), message->nlmsg_len);
    std::erase_if(missing, [text](const std::string& name) {
        return text.find(std::string_view(name.c_str(), name.size() + 1)) != std::string_view::npos;
    });
    return false;
}

bool wait_for_commit(int notices, std::set<std::string> missing) {
    std::vector<char> buffer(1 << 20);
    for (ssize_t size = 0; (size = ::recv(notices, buffer.data(), buffer.size(), 0)) > 0;) {
        const auto* message = reinterpret_cast<const nlmsghdr*>(buffer.data());
        for (auto left = static_cast<unsigned>(size); NLMSG_OK(message, left); message = NLMSG_NEXT(message, left))
            if (ends_it(message, missing))
                return true;
    }
    return false;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        std::fputs("usage: bench-commit FROM TO SET...\n", stderr);
        return 2;
    }
    const int notices = open_notices();
    const auto start = Clock::now();
    if (std::rename(argv[1], argv[2]) != 0) {
        std::perror(argv[1]);
        return 2;
    }
    if (!wait_for_commit(notices, {argv + 3, argv + argc})) {
        std::fputs("not within 30 s\n", stderr);
        return 1;
    }
    std::printf("%.3f\n", std::chrono::duration<double, std::milli>(Clock::now() - start).count());
    return 0;
}
