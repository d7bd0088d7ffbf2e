// Waits for the kernel's notifications of what others change, and says what they mean (netlink/monitor.hpp).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>

#include "netlink/monitor.hpp"

namespace proxy {

class KernelNotices {
public:
    using Heard = std::function<void(const netlink::Notices&)>;

    /// Hears of addresses, devices and policy rules from now on. `heard` is called on the loop, for damage or
    /// addresses only. Throws std::system_error.
    KernelNotices(boost::asio::io_context& context, netlink::OwnChanges own, Heard heard);

    /// Begins to call back. Call once; this must outlive the loop's run().
    void start();

    /// It hears of routes and of nftables too, from now on (Monitor::hear_of_objects). Throws std::system_error.
    void hear_of_objects() { monitor_.hear_of_objects(); }

private:
    using Socket = boost::asio::posix::stream_descriptor;
    boost::asio::awaitable<void> listen(Socket& socket, netlink::Notices (netlink::Monitor::*read)());

    boost::asio::io_context& context_;
    netlink::Monitor monitor_;
    Heard heard_;
    Socket route_socket_;
    Socket nft_socket_;
    Socket families_socket_;
};

}  // namespace proxy
