// Listens on an address that may not be free yet: it is tried again every 5 s.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "proxy/serve/page.hpp"

namespace proxy {

class Listener {
public:
    static constexpr std::chrono::seconds retry{5};

    /// Tries at once; problem() says what has come of it. `changed` is called on the loop when that changes later.
    Listener(boost::asio::any_io_executor executor, boost::asio::ip::tcp::endpoint where, Handler handler,
             std::function<void()> changed, std::chrono::milliseconds retry_after = retry);
    /// Listens no more, and closes all connections. `changed` is not called again.
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    /// Why the address cannot be listened on; empty: it is.
    const std::string& problem() const;

private:
    struct State;
    static boost::asio::awaitable<void> try_again(std::shared_ptr<State> state);
    std::shared_ptr<State> state_;
};

}  // namespace proxy
