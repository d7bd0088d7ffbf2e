#include "proxy/host/namespace_lock.hpp"

#include <linux/capability.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "base/numbers.hpp"

namespace proxy {
namespace {

namespace asio = boost::asio;
using asio::local::stream_protocol;

constexpr int attempts = 10;
constexpr int pause_ms = 100;
constexpr int waiting_room = 128;  // of those who ask

struct Place {
    sockaddr_un address{};
    socklen_t size = 0;
    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
};

/// The name's place in the kernel's own list of names, which begin with a zero.
Place place_of(const std::string& name) {
    Place place;
    place.address.sun_family = AF_UNIX;
    const std::size_t size = std::min(name.size(), sizeof(place.address.sun_path) - 1);
    std::memcpy(place.address.sun_path + 1, name.data(), size);
    place.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + size);
    return place;
}

int open_socket() {
    const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (socket < 0)
        throw std::system_error(errno, std::system_category(), "the lock of the network namespace");
    return socket;
}

/// The listening socket, or -1 when somebody has the name.
int listen_at(const Place& place) {
    const int socket = open_socket();
    if (::bind(socket, place.get(), place.size) == 0 && ::listen(socket, waiting_room) == 0)
        return socket;
    const int error = errno;
    ::close(socket);
    if (error != EADDRINUSE)
        throw std::system_error(error, std::system_category(), "the lock of the network namespace");
    return -1;
}

std::string status_of(pid_t process) {
    std::ifstream file("/proc/" + std::to_string(process) + "/status");
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string program_of(pid_t process) {
    std::string name;
    std::ifstream file("/proc/" + std::to_string(process) + "/comm");
    std::getline(file, name);
    for (char& c : name)  // whoever runs has chosen it
        if (static_cast<unsigned char>(c) < ' ' || static_cast<unsigned char>(c) > '~')
            c = '?';
    return name;
}

/// Nothing: nobody listens (any more, or yet), or too many ask.
std::optional<LockHolder> ask(const Place& place) {
    const int socket = open_socket();
    ucred credentials{};
    socklen_t size = sizeof(credentials);
    const bool answered = ::connect(socket, place.get(), place.size) == 0 &&
                          ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0;
    ::close(socket);
    if (!answered)
        return std::nullopt;
    LockHolder holder{credentials.uid, credentials.pid, std::nullopt, ""};
    if (holder.process != 0) {
        holder.administers = administers_network(status_of(holder.process));
        holder.program = program_of(holder.process);
    }
    return holder;
}

std::string words(const LockHolder& holder) {
    if (holder.process == 0)
        return "of another container, user " + std::to_string(holder.user);
    return "process " + std::to_string(holder.process) + (holder.program.empty() ? "" : " " + holder.program) +
           ", user " + std::to_string(holder.user);
}

}  // namespace

bool may_be_podferry(const LockHolder& holder, uid_t our_user) {
    return (holder.user == 0 || holder.user == our_user) && holder.administers.value_or(true);
}

std::optional<bool> administers_network(std::string_view status) {
    static constexpr std::string_view name = "\nCapEff:\t";
    const auto at = status.find(name);
    if (at == std::string_view::npos)
        return std::nullopt;
    const std::string_view rest = status.substr(at + name.size());
    const auto effective = base::parse_number<std::uint64_t>(rest.substr(0, rest.find('\n')), 16);
    if (!effective)
        return std::nullopt;
    return (*effective >> CAP_NET_ADMIN & 1) != 0;
}

std::string refusal(const LockHolder& holder) {
    return "another podferry runs in this network namespace (" + words(holder) +
           "): two would undo each other's work, whatever their state_dir; stop it first";
}

std::string disbelief(const std::optional<LockHolder>& holder) {
    return "the lock of this network namespace is held by what is no podferry (" +
           (holder ? words(*holder) : std::string("it does not answer")) +
           "): podferry runs without it, and a second one would not be refused";
}

tl::expected<NamespaceLock, std::string> NamespaceLock::acquire(const std::string& name) {
    const Place place = place_of(name);
    std::optional<LockHolder> holder;
    for (int attempt = 0; attempt < attempts; ++attempt) {
        if (attempt > 0)
            ::poll(nullptr, 0, pause_ms);
        if (const int socket = listen_at(place); socket >= 0)
            return NamespaceLock(socket, "");
        holder = ask(place);
        if (holder && may_be_podferry(*holder, ::geteuid()))
            return tl::unexpected(refusal(*holder));
        if (holder)
            break;
    }
    return NamespaceLock(-1, disbelief(holder));
}

NamespaceLock::NamespaceLock(NamespaceLock&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), warning_(std::move(other.warning_)) {}

NamespaceLock::~NamespaceLock() {
    if (socket_ >= 0)
        ::close(socket_);
}

asio::awaitable<void> NamespaceLock::answer(asio::io_context& context) const {
    if (socket_ < 0)
        co_return;
    stream_protocol::acceptor acceptor(context, stream_protocol(), ::dup(socket_));
    asio::steady_timer timer(context);
    for (;;) {
        boost::system::error_code error;
        stream_protocol::socket asker(context);
        co_await acceptor.async_accept(asker, asio::redirect_error(asio::use_awaitable, error));
        asker.close(error);
        timer.expires_after(std::chrono::milliseconds(pause_ms));
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    }
}

}  // namespace proxy
