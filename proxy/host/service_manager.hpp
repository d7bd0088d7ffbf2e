// Speaks to the service manager that has started us, where there is one: sd_notify(3), whose protocol is one datagram.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <optional>
#include <string>

namespace proxy {

/// What systemd asks of a process in its environment.
struct WatchdogWish {
    const char* microseconds = nullptr;  ///< WATCHDOG_USEC
    const char* process = nullptr;       ///< WATCHDOG_PID
};

/// How often to say that we live: half of what is asked. Nothing: nobody asks it of the process `self`. Pure.
std::optional<std::chrono::microseconds> watchdog_pause(const WatchdogWish& wish, int self);

class ServiceManager {
public:
    /// It takes its socket from the environment (NOTIFY_SOCKET); without one nobody is told anything.
    ServiceManager();

    /// "READY=1", "RELOADING=1", "STATUS=...". Never fails: who does not listen need not know.
    void tell(const std::string& state) const;

    /// Says that the loop turns, as often as is asked, until the context ends. So a loop that hangs is noticed.
    boost::asio::awaitable<void> keep_alive(boost::asio::io_context& context) const;

private:
    std::string socket_;
};

}  // namespace proxy
