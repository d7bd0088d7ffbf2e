#include "proxy/host/service_manager.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "base/numbers.hpp"

namespace proxy {

std::optional<std::chrono::microseconds> watchdog_pause(const WatchdogWish& wish, int self) {
    const auto number = [](const char* text) {
        return text == nullptr ? std::nullopt : base::parse_number<long>(std::string_view(text));
    };
    const auto period = number(wish.microseconds);
    if (!period || *period < 2 || (wish.process != nullptr && number(wish.process) != self))
        return std::nullopt;
    return std::chrono::microseconds(*period / 2);
}

ServiceManager::ServiceManager() {
    if (const char* path = std::getenv("NOTIFY_SOCKET"); path != nullptr)
        socket_ = path;
}

void ServiceManager::tell(const std::string& state) const {
    sockaddr_un address{};
    if (socket_.empty() || socket_.size() >= sizeof(address.sun_path))
        return;
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, socket_.data(), socket_.size());
    if (socket_.front() == '@')
        address.sun_path[0] = '\0';  // an abstract one
    const int file = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (file < 0)
        return;
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
    ::sendto(file, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), length);
    ::close(file);
}

boost::asio::awaitable<void> ServiceManager::keep_alive(boost::asio::io_context& context) const {
    const auto pause = watchdog_pause({std::getenv("WATCHDOG_USEC"), std::getenv("WATCHDOG_PID")}, ::getpid());
    if (!pause)
        co_return;
    boost::asio::steady_timer timer(context);
    for (boost::system::error_code error; !error;) {
        tell("WATCHDOG=1");
        timer.expires_after(*pause);
        co_await timer.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, error));
    }
}

}  // namespace proxy
