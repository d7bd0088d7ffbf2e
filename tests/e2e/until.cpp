// Says when virtual servers get what they should have: asks the kernel for one virtual server again and again, which is
// cheap however many there are. For each line "ADDRESS PORT COUNT" on stdin: waits until virtual server ADDRESS:PORT
// (TCP) has COUNT real servers with a weight (one that drains has none), at most a minute, and prints the
// CLOCK_MONOTONIC seconds at which it had, or "never".
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <span>
#include <string>
#include <system_error>
#include <thread>

#include "netlink/linux_kernel.hpp"

namespace {

using Clock = std::chrono::steady_clock;

std::size_t count_real_servers(netlink::LinuxKernel& kernel, const netlink::VirtualServer& server) {
    try {
        const auto reals = kernel.read_real_servers(std::span(&server, 1)).front();
        return static_cast<std::size_t>(
            std::count_if(reals.begin(), reals.end(), [](const auto& real) { return real.second > 0; }));
    } catch (const std::system_error&) {
        return 0;  // ESRCH: no such virtual server yet
    }
}

void wait(netlink::LinuxKernel& kernel, const netlink::VirtualServer& server, std::size_t wanted) {
    const auto deadline = Clock::now() + std::chrono::minutes(1);
    while (count_real_servers(kernel, server) != wanted) {
        if (Clock::now() > deadline) {
            std::puts("never");
            return;
        }
        std::this_thread::sleep_for(std::chrono::microseconds(200));  // leaves the kernel's lock to others
    }
    std::printf("%.6f\n", std::chrono::duration<double>(Clock::now().time_since_epoch()).count());
}

}  // namespace

int main() {
    netlink::LinuxKernel kernel({});
    std::string address;
    std::uint16_t port = 0;
    std::size_t wanted = 0;
    while (std::cin >> address >> port >> wanted) {
        wait(kernel, {base::make_address(address), netlink::Protocol::tcp, port}, wanted);
        std::fflush(stdout);
    }
    return 0;
}
