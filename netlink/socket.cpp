#include "netlink/socket.hpp"

#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace netlink {
namespace {

constexpr int buffer_size = 16 * 1024 * 1024;
constexpr timeval answer_timeout{10, 0};
constexpr int dump_attempts = 10;

[[noreturn]] void fail(int error, const char* what) {
    throw std::system_error(error, std::system_category(), what);
}

nlmsghdr* header_at(Batch& batch, std::size_t index) {
    return reinterpret_cast<nlmsghdr*>(batch.bytes().data() + batch.start(index));
}

/// Larger buffers than net.core.*mem_max allow; without the privilege the default has to do.
void set_buffers(int socket) {
    ::setsockopt(socket, SOL_SOCKET, SO_SNDBUFFORCE, &buffer_size, sizeof(buffer_size));
    ::setsockopt(socket, SOL_SOCKET, SO_RCVBUFFORCE, &buffer_size, sizeof(buffer_size));
}

}  // namespace

Socket::Socket(int protocol) : buffer_(std::size_t{256} * 1024) {
    socket_ = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    if (socket_ < 0)
        fail(errno, "netlink socket");
    set_buffers(socket_);
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &answer_timeout, sizeof(answer_timeout));
    const int on = 1;
    ::setsockopt(socket_, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    socklen_t length = sizeof(address);
    if (::bind(socket_, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
        ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
        const int error = errno;
        ::close(socket_);
        fail(error, "netlink socket");
    }
    port_ = address.nl_pid;
}

Socket::~Socket() {
    ::close(socket_);
}

void Socket::filter_dumps() {
    const int on = 1;
    ::setsockopt(socket_, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
}

void Socket::send(const char* data, std::size_t size) {
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    while (::sendto(socket_, data, size, 0, reinterpret_cast<const sockaddr*>(&kernel), sizeof(kernel)) < 0)
        if (errno != EINTR)
            fail(errno, "netlink send");
}

std::span<char> Socket::receive() {
    const Received received = receive_from_kernel(socket_, buffer_);
    if (received.error != 0)
        fail(received.error == EAGAIN ? ETIMEDOUT : received.error, "netlink receive");
    return received.bytes;
}

/// Sends all messages in one call, and reads answers until that to `awaited` has come. The first rejection in an
/// atomic batch is its last answer too.
std::vector<Rejection> Socket::exchange(Batch& batch, std::size_t awaited, bool atomic) {
    std::vector<Rejection> rejections;
    const std::uint32_t first_sequence = sequence_ + 1;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        header_at(batch, i)->nlmsg_seq = ++sequence_;
        header_at(batch, i)->nlmsg_pid = port_;
    }
    header_at(batch, awaited)->nlmsg_flags |= NLM_F_ACK;
    send(batch.bytes().data(), batch.bytes().size());
    bool over = false;
    while (!over)
        for_each_message(receive(), [&](const nlmsghdr* header) {
            const std::uint32_t index = header->nlmsg_seq - first_sequence;
            if (over || header->nlmsg_type != NLMSG_ERROR || index > awaited)
                return;
            if (const int error = error_of(header); error != 0)
                rejections.push_back({index, error});
            over = index == awaited || (atomic && index == 0);
        });
    return rejections;
}

std::vector<Rejection> Socket::transact(Batch& batch) {
    return exchange(batch, batch.size() - 1, false);
}

std::vector<Rejection> Socket::transact_whole(Batch& batch) {
    if (batch.size() < 3)
        throw std::logic_error("an nfnetlink batch has a begin, a message and an end");
    // The ACK of the last change (not of the end message) comes when the whole has been committed or refused.
    return exchange(batch, batch.size() - 2, true);
}

bool DumpState::accept(const nlmsghdr* message) {
    if (message->nlmsg_seq != sequence_)
        return false;
    interrupted_ = interrupted_ || (message->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
    if (message->nlmsg_type != NLMSG_DONE && message->nlmsg_type != NLMSG_ERROR)
        return message->nlmsg_type >= NLMSG_MIN_TYPE;
    const int error = error_of(message);
    if (error != 0 && error != EINTR)
        fail(error, "netlink dump");
    interrupted_ = interrupted_ || error == EINTR;
    over_ = true;
    return false;
}

bool Socket::dump_each(const Message& request, const std::function<void(nlmsghdr*)>& visit) {
    nlmsghdr* header = request.header();
    header->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
    header->nlmsg_pid = port_;
    header->nlmsg_seq = ++sequence_;
    send(reinterpret_cast<const char*>(header), header->nlmsg_len);
    DumpState state(sequence_);
    while (!state.over())
        for_each_message(receive(), [&](nlmsghdr* answer) {
            if (!state.over() && state.accept(answer))
                visit(answer);
        });
    return state.whole();
}

std::vector<char> Socket::dump(const Message& request) {
    for (int attempt = 0; attempt < dump_attempts; ++attempt) {
        std::vector<char> messages;
        const bool whole = dump_each(request, [&](nlmsghdr* answer) {
            const auto* begin = reinterpret_cast<const char*>(answer);
            messages.insert(messages.end(), begin, begin + answer->nlmsg_len);
            messages.resize(NLMSG_ALIGN(messages.size()));
        });
        if (whole)
            return messages;
    }
    fail(EINTR, "netlink dump: the kernel's tables kept changing");
}

}  // namespace netlink
