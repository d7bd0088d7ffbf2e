// How long a change takes from the rename of a file until the kernel has it.
//     bench-change FROM TO ADDRESS PORT COUNT [bare]
// renames FROM to TO, asks the kernel until virtual server ADDRESS:PORT (TCP) has COUNT real servers that get new
// connections (one that drains has weight 0), and prints the milliseconds that took. Ends with status 1 after 10 s.
// With "bare" nobody else is needed: a thread waits for the rename as podferry does, then for the debounce, and gives
// the kernel changes that were ready before: the floor.
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <span>
#include <thread>

#include "netlink/linux_kernel.hpp"

namespace {

using namespace netlink;
using Clock = std::chrono::steady_clock;

constexpr auto debounce = std::chrono::milliseconds(200);

/// A Service and its real servers; or, when it is there already, the last of them gets no more connections.
std::vector<Change> changes(const VirtualServer& server, std::size_t count, bool present) {
    const auto real = [](std::size_t number) {
        return RealServer{base::Address::v4(0x0a020000U + static_cast<std::uint32_t>(number)), 8080};
    };
    if (present)
        return {EditRealServer{server, real(count), 0}};
    std::vector<Change> all = {AddElement{{Set::served, server.address, server.protocol, server.port}},
                               AddElement{{Set::virtual_address, server.address, Protocol::none, 0}},
                               AddElement{{Set::cluster, server.address, server.protocol, server.port}},
                               AddVirtualServer{server, {}}};
    for (std::size_t i = 0; i < count; ++i)
        all.emplace_back(AddRealServer{server, real(i), 1});
    all.emplace_back(AddRoute{{server.address}});
    return all;
}

std::size_t count_real_servers(LinuxKernel& kernel, const VirtualServer& server) {
    try {
        const auto real_servers = kernel.read_real_servers(std::span(&server, 1)).front();
        return static_cast<std::size_t>(
            std::count_if(real_servers.begin(), real_servers.end(), [](const auto& one) { return one.second > 0; }));
    } catch (const std::system_error&) {
        return 0;  // ESRCH: no such virtual server yet
    }
}

void program_after_rename(int notices, LinuxKernel& kernel, const std::vector<Change>& changes) {
    alignas(inotify_event) char buffer[4096];
    if (::read(notices, buffer, sizeof(buffer)) <= 0)
        return;
    std::this_thread::sleep_for(debounce);
    kernel.apply(changes);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 6) {
        std::fputs("usage: bench-change FROM TO ADDRESS PORT COUNT [bare]\n", stderr);
        return 2;
    }
    LinuxKernel kernel({});
    const VirtualServer server{base::make_address(argv[3]), Protocol::tcp,
                               static_cast<std::uint16_t>(std::atoi(argv[4]))};
    const auto wanted = static_cast<std::size_t>(std::atoi(argv[5]));
    LinuxKernel own({});
    const std::vector<Change> ready = changes(server, wanted, count_real_servers(kernel, server) > 0);
    std::jthread bare;
    if (argc > 6) {
        const int notices = ::inotify_init1(IN_CLOEXEC);
        ::inotify_add_watch(notices, std::filesystem::path(argv[2]).parent_path().c_str(), IN_MOVED_TO);
        bare = std::jthread([notices, &own, &ready] { program_after_rename(notices, own, ready); });
    }
    const auto start = Clock::now();
    if (std::rename(argv[1], argv[2]) != 0) {
        std::perror(argv[1]);
        return 2;
    }
    while (Clock::now() - start < std::chrono::seconds(10)) {
        if (count_real_servers(kernel, server) == wanted) {
            std::printf("%.3f\n", std::chrono::duration<double, std::milli>(Clock::now() - start).count());
            return 0;
        }
        std::this_thread::sleep_for(std::chrono::microseconds(200));  // leaves the kernel's lock to podferry
    }
    std::fputs("not within 10 s\n", stderr);
    return 1;
}
