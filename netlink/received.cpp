#include "netlink/received.hpp"

#include <linux/netlink.h>
#include <sys/socket.h>

#include <cerrno>

namespace netlink {

int error_of(const nlmsghdr* header) {
    const auto error = body_of<int>(header);
    if (!error)
        return 0;
    return *error > 0 || *error < -4095 ? EPROTO : -*error;  // MAX_ERRNO
}

Received receive_from_kernel(int socket, std::span<char> buffer) {
    for (;;) {
        sockaddr_nl sender{};
        socklen_t length = sizeof(sender);
        const ssize_t size =
            ::recvfrom(socket, buffer.data(), buffer.size(), MSG_TRUNC, reinterpret_cast<sockaddr*>(&sender), &length);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return {{}, errno};
        if (length != sizeof(sender) || sender.nl_family != AF_NETLINK || sender.nl_pid != 0)
            continue;
        const auto whole = static_cast<std::size_t>(size);
        return {buffer.first(std::min(whole, buffer.size())), whole > buffer.size() ? EMSGSIZE : 0};
    }
}

}  // namespace netlink
