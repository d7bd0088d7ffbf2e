// The sockets for ICMP echo requests: one of each address family, for all nodes. Ping sockets, which take no capability
// but a group within net.ipv4.ping_group_range (icmp(7)), which governs both families.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <functional>
#include <optional>

#include "base/address.hpp"
#include "health/echo.hpp"

namespace health {

class EchoSockets {
public:
    using Answered = std::function<void(const base::Address& from, const Echo& echo)>;

    /// `answered` is called on the loop, at most 256 times in a row. Where no such socket may be made, there is none.
    EchoSockets(const boost::asio::any_io_executor& executor, Answered answered);
    EchoSockets(const EchoSockets&) = delete;
    EchoSockets& operator=(const EchoSockets&) = delete;

    /// Whether addresses of that family can be asked.
    bool has(bool ipv6) const { return socket(ipv6).has_value(); }
    /// False: this host could not send it.
    bool ask(const base::Address& to, const Echo& echo);
    /// Takes in what has come, though the loop has not told yet.
    void drain();

private:
    using Socket = std::optional<boost::asio::posix::stream_descriptor>;

    Socket& socket(bool ipv6) { return ipv6 ? six_ : four_; }
    const Socket& socket(bool ipv6) const { return ipv6 ? six_ : four_; }
    void listen(bool ipv6);
    void drain(bool ipv6);

    Answered answered_;
    Socket four_;
    Socket six_;
    std::uint16_t sequence_ = 0;
};

}  // namespace health
