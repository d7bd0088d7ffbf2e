// One podferry in a network namespace: two would undo each other's work, whatever their state_dir.
#pragma once

#include <sys/types.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace proxy {

/// Who holds the namespace's lock, as far as the kernel tells.
struct LockHolder {
    uid_t user = 0;
    pid_t process = 0;                ///< 0: of another container
    std::optional<bool> administers;  ///< has CAP_NET_ADMIN; nothing: cannot be seen
    std::string program;              ///< may be empty
};

/// Whether that can be a podferry. Everybody in the namespace can use the name of a socket, and nobody is to keep
/// podferry from its node by that: a podferry runs as root or as our own user, and has CAP_NET_ADMIN. Pure.
bool may_be_podferry(const LockHolder& holder, uid_t our_user);

/// What /proc/PID/status says of CAP_NET_ADMIN (proc_pid_status(5)); nothing: it does not say. Pure.
std::optional<bool> administers_network(std::string_view status);

/// The sentence for the one that is refused, and for the one that goes on all the same.
std::string refusal(const LockHolder& holder);
std::string disbelief(const std::optional<LockHolder>& holder);

/// An abstract socket, which exists once in a network namespace and goes with the process. Each that cannot have it
/// connects to it, and learns from the kernel who listens (SO_PEERCRED in unix(7)).
class NamespaceLock {
public:
    /// The error is a sentence: another podferry is there. Waits up to 1 s for one that is just coming or going.
    static tl::expected<NamespaceLock, std::string> acquire(const std::string& name = "podferry.io/instance");
    NamespaceLock(NamespaceLock&& other) noexcept;
    NamespaceLock& operator=(NamespaceLock&&) = delete;
    ~NamespaceLock();

    /// Why the lock is not held although podferry may run; empty: it is held.
    const std::string& warning() const { return warning_; }

    /// Ends the connections of those who ask, ten a second, so that there is room for the next; until the context ends.
    boost::asio::awaitable<void> answer(boost::asio::io_context& context) const;

private:
    NamespaceLock(int socket, std::string warning) : socket_(socket), warning_(std::move(warning)) {}
    int socket_;
    std::string warning_;
};

}  // namespace proxy
