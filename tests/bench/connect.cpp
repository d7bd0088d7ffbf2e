// Connections as fast as they can be set up, one after the other on each of some threads.
//     bench-connect listen ADDRESS PORT                     takes each connection and closes it, until it is killed
//     bench-connect ADDRESS PORT SECONDS [THREADS]  prints how many a second were taken and closed
// A connection ends by a reset, after the listener's close has been seen: so neither side keeps it, and ports are not
// used up. Status 1 as soon as one is refused or is not answered within 2 s.
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using Endpoint = boost::asio::ip::tcp::endpoint;

constexpr int backlog = 4096;
constexpr timeval patience{2, 0};

int new_socket(const Endpoint& endpoint) {
    return ::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
}

int serve(const Endpoint& endpoint) {
    const int listener = new_socket(endpoint);
    const int yes = 1;
    ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (::bind(listener, endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0 ||
        ::listen(listener, backlog) != 0) {
        std::perror("bench-connect listen");
        return 1;
    }
    while (true)
        if (const int one = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC); one >= 0)
            ::close(one);
}

bool connect_once(const Endpoint& endpoint) {
    const int one = new_socket(endpoint);
    const linger reset{1, 0};
    ::setsockopt(one, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    ::setsockopt(one, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    ::setsockopt(one, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    char byte = 0;
    const bool good =
        ::connect(one, endpoint.data(), static_cast<socklen_t>(endpoint.size())) == 0 && ::read(one, &byte, 1) == 0;
    if (!good)
        std::perror("bench-connect");
    ::close(one);
    return good;
}

int load(const Endpoint& endpoint, double seconds, int threads) {
    std::atomic<int> count = 0;
    std::atomic<bool> failed = false;
    const auto start = Clock::now();
    const auto end = start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    {
        std::vector<std::jthread> all;
        for (int i = 0; i < threads; ++i)
            all.emplace_back([&] {
                while (Clock::now() < end && !failed) {
                    if (connect_once(endpoint))
                        ++count;
                    else
                        failed = true;
                }
            });
    }
    if (failed)
        return 1;
    std::printf("%.1f\n", count / std::chrono::duration<double>(Clock::now() - start).count());
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const bool listens = argc == 4 && std::string(argv[1]) == "listen";
    if (!listens && (argc < 4 || argc > 5)) {
        std::fputs("usage: bench-connect listen ADDRESS PORT | ADDRESS PORT SECONDS [THREADS]\n", stderr);
        return 2;
    }
    const int first = listens ? 2 : 1;
    const Endpoint endpoint(boost::asio::ip::make_address(argv[first]),
                            static_cast<std::uint16_t>(std::stoi(argv[first + 1])));
    if (listens)
        return serve(endpoint);
    return load(endpoint, std::stod(argv[3]), argc > 4 ? std::stoi(argv[4]) : 2);
}
