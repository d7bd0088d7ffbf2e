#include "proxy/sync/kernel_notices.hpp"

#include <unistd.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "proxy/sync/spawn.hpp"

namespace proxy {

namespace asio = boost::asio;

KernelNotices::KernelNotices(asio::io_context& context, netlink::OwnChanges own, Heard heard)
    : context_(context),
      monitor_(own),
      heard_(std::move(heard)),
      route_socket_(context, ::dup(monitor_.route_socket())),
      nft_socket_(context, ::dup(monitor_.nft_socket())),
      families_socket_(context, ::dup(monitor_.families_socket())) {}

void KernelNotices::start() {
    spawn(context_, listen(nft_socket_, &netlink::Monitor::read_nft));
    spawn(context_, listen(route_socket_, &netlink::Monitor::read_routes));
    spawn(context_, listen(families_socket_, &netlink::Monitor::read_families));
}

asio::awaitable<void> KernelNotices::listen(Socket& socket, netlink::Notices (netlink::Monitor::*read)()) {
    for (;;) {
        boost::system::error_code error;
        co_await socket.async_wait(Socket::wait_read, asio::redirect_error(asio::use_awaitable, error));
        if (error)
            co_return;
        const netlink::Notices notices = (monitor_.*read)();
        if (notices.addresses || notices.damage)
            heard_(notices);
    }
}

}  // namespace proxy
