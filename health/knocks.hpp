// TCP connections that are made to see whether a node's kernel answers, and are reset at once: that the connection is
// accepted says as much as that it is refused. They leave no TIME_WAIT, and closing never blocks (SO_LINGER of 0).
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>

#include "base/address.hpp"
#include "health/guard/finding.hpp"

namespace health {

/// What came of one.
enum class Knocked : std::uint8_t {
    answered,
    silent,
    not_asked,  ///< this host could not ask: that says nothing about the node
};

/// What the error of a connection that was tried says; none: it was accepted.
Knocked knocked(const boost::system::error_code& error);

class Knocks {
public:
    using Ended = std::function<void(Knocked result)>;
    static constexpr std::chrono::milliseconds patience{1'000};  ///< then one is given up: before the kernel asks again
    static constexpr std::size_t most = 256;                     ///< that are open at a time

    explicit Knocks(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}

    /// `ended` is called on the loop; not at all, if the answer does not come in time.
    void ask(const base::Address& address, std::uint16_t port, Time now, Ended ended);
    /// Gives up those whose time is over.
    void expire(Time now);
    std::size_t open() const { return open_.size(); }

private:
    struct Knock {
        boost::asio::ip::tcp::socket socket;
        Time since;
    };

    boost::asio::any_io_executor executor_;
    std::map<std::uint64_t, Knock> open_;  // in the order in which they began
    std::uint64_t last_ = 0;
};

}  // namespace health
