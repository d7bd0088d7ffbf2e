// How long a change takes from the rename of a file until the kernel has it.
//     bench-change FROM TO ADDRESS PORT COUNT
// renames FROM to TO, asks the kernel until virtual server ADDRESS:PORT (TCP) has COUNT real servers, and prints the
// milliseconds that took. Ends with status 1 after 10 s.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <thread>

#include "netlink/linux_kernel.hpp"

int main(int argc, char** argv) {
    if (argc != 6) {
        std::fputs("usage: bench-change FROM TO ADDRESS PORT COUNT\n", stderr);
        return 2;
    }
    using Clock = std::chrono::steady_clock;
    netlink::LinuxKernel kernel({});
    const netlink::VirtualServer server{boost::asio::ip::make_address(argv[3]), netlink::Protocol::tcp,
                                        static_cast<std::uint16_t>(std::atoi(argv[4]))};
    const auto wanted = static_cast<std::size_t>(std::atoi(argv[5]));
    const auto start = Clock::now();
    if (std::rename(argv[1], argv[2]) != 0) {
        std::perror(argv[1]);
        return 2;
    }
    while (Clock::now() - start < std::chrono::seconds(10)) {
        std::size_t count = 0;
        try {
            count = kernel.read_real_servers(std::span(&server, 1)).front().size();
        } catch (const std::system_error&) {
            // ESRCH: no such virtual server yet
        }
        if (count == wanted) {
            std::printf("%.3f\n", std::chrono::duration<double, std::milli>(Clock::now() - start).count());
            return 0;
        }
        std::this_thread::sleep_for(std::chrono::microseconds(200));  // leaves the kernel's lock to podferry
    }
    std::fputs("not within 10 s\n", stderr);
    return 1;
}
