// A netlink socket that sends many messages in one system call. libnl's own send functions wait for an ACK each:
// 47,000 changes a second; 64 KiB at a time with one ACK at the end: 95,000 (docs/performance.md).
#pragma once

#include "netlink/message.hpp"
#include "netlink/received.hpp"

#include <cstdint>
#include <functional>
#include <vector>

namespace netlink {

/// A message of a batch that the kernel refused.
struct Rejection {
    std::size_t index = 0;  ///< in the batch
    int error = 0;          ///< errno
};

/// What the messages of a dump have said so far. Pure.
class DumpState {
public:
    /// `sequence`: of the request; messages of others are passed over.
    explicit DumpState(std::uint32_t sequence) : sequence_(sequence) {}

    /// The next message; true: it is one of the objects. Throws std::system_error with the kernel's error.
    bool accept(const nlmsghdr* message);

    /// The last message has come.
    bool over() const { return over_; }
    /// The kernel has not said that a change came between: NLM_F_DUMP_INTR of any message (nl_dump_check_consistent),
    /// or EINTR at the end.
    bool whole() const { return !interrupted_; }

private:
    std::uint32_t sequence_;
    bool over_ = false;
    bool interrupted_ = false;
};

class Socket {
public:
    /// protocol: NETLINK_ROUTE, NETLINK_GENERIC, NETLINK_NETFILTER. Throws std::system_error.
    explicit Socket(int protocol);
    ~Socket();
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;

    /// Our port id: the sender that notifications of our own changes name.
    std::uint32_t port() const { return port_; }

    /// Sends all messages (at least one) in one call and waits until the kernel has read them. Requests are
    /// independent of each other: a refused one does not stop those behind it. Throws std::system_error when the socket
    /// fails.
    std::vector<Rejection> transact(Batch& batch);

    /// The same in one piece, for nfnetlink: begin and end messages around it make it atomic. Index 0 is the begin
    /// message, whose rejection stands for the whole.
    std::vector<Rejection> transact_whole(Batch& batch);

    /// All messages of a dump, back to back, for for_each_message(). Repeated when it was interrupted by a change.
    /// Throws std::system_error with the kernel's error (ENOENT: no such table or set).
    std::vector<char> dump(const Message& request);

    /// One dump, each message as it comes: for tables that are too large to be held. False when it was interrupted by a
    /// change: then some of it may be missing, or have come twice. Throws like dump().
    bool dump_each(const Message& request, const std::function<void(nlmsghdr*)>& visit);

    /// One question, one answer. Throws like dump().
    std::vector<char> ask(const Message& request) { return dump(request); }

    /// Lets the kernel filter dumps by the request's header (NETLINK_GET_STRICT_CHK).
    void filter_dumps();

private:
    void send(const char* data, std::size_t size);
    std::vector<Rejection> exchange(Batch& batch, std::size_t awaited, bool atomic);
    std::span<char> receive();

    int socket_ = -1;
    std::uint32_t port_ = 0;
    std::uint32_t sequence_ = 0;
    std::vector<char> buffer_;
};

}  // namespace netlink
