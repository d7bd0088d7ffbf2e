#include "health/echo_sockets.hpp"

#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>
#include <utility>

#include "base/asio_address.hpp"

namespace health {
namespace {

namespace asio = boost::asio;
using Endpoint = asio::ip::tcp::endpoint;  // for its sockaddr

constexpr int at_a_time = 128;  // answers of a family

std::optional<asio::posix::stream_descriptor> open(const asio::any_io_executor& executor, bool ipv6) {
    const int socket = ::socket(ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                                ipv6 ? int{IPPROTO_ICMPV6} : int{IPPROTO_ICMP});
    if (socket < 0)
        return std::nullopt;
    return std::optional<asio::posix::stream_descriptor>(std::in_place, executor, socket);
}

}  // namespace

EchoSockets::EchoSockets(const asio::any_io_executor& executor, Answered answered)
    : answered_(std::move(answered)), four_(open(executor, false)), six_(open(executor, true)) {
    listen(false);
    listen(true);
}

void EchoSockets::listen(bool ipv6) {
    if (!has(ipv6))
        return;
    socket(ipv6)->async_wait(asio::posix::stream_descriptor::wait_read,
                             [this, ipv6](const boost::system::error_code& error) {
                                 if (error == asio::error::operation_aborted)
                                     return;
                                 drain(ipv6);
                                 listen(ipv6);
                             });
}

bool EchoSockets::ask(const base::Address& to, const Echo& echo) {
    const bool ipv6 = to.is_v6();
    if (!has(ipv6))
        return false;
    const EchoBytes bytes = echo_request(ipv6, ++sequence_, echo);
    const Endpoint where(base::to_asio(to), 0);
    const auto sent = ::sendto(socket(ipv6)->native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                               where.data(), static_cast<socklen_t>(where.size()));
    return sent == static_cast<ssize_t>(bytes.size());
}

void EchoSockets::drain() {
    drain(false);
    drain(true);
}

void EchoSockets::drain(bool ipv6) {
    if (!has(ipv6))
        return;
    for (int i = 0; i < at_a_time; ++i) {
        std::array<std::uint8_t, 2 * echo_size> bytes{};
        Endpoint from;
        auto length = static_cast<socklen_t>(from.capacity());
        const auto got =
            ::recvfrom(socket(ipv6)->native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT, from.data(), &length);
        if (got < 0)
            return;
        from.resize(length);
        if (const auto echo = read_echo_reply(ipv6, std::span(bytes).first(static_cast<std::size_t>(got))))
            answered_(base::from_asio(from.address()), *echo);
    }
}

}  // namespace health
