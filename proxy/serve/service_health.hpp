// Answers on the health check ports of Services: how many endpoints are here, once the kernel holds what was planned.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <vector>

#include "proxy/engine/engine.hpp"
#include "proxy/serve/health_server.hpp"

namespace proxy {

class ServiceHealth {
public:
    /// Both must outlive it. `proxy_is_healthy` is asked for each answer; `changed` is told when failures() has
    /// changed otherwise than by follow().
    ServiceHealth(boost::asio::io_context& context, Engine& engine, const Mirror& kernel,
                  std::function<bool()> proxy_is_healthy, std::function<void()> changed);

    /// The kernel has been given what was planned: counts may rise. `refused`: it has refused some of it. In turns.
    boost::asio::awaitable<void> settle(bool refused);

    /// Opens and closes ports as Services and the node's addresses ask for. True when failures() has changed.
    bool follow();

    std::vector<ListenFailure> failures() const { return server_.failures(); }

private:
    boost::asio::io_context& context_;
    Engine& engine_;
    const Mirror& kernel_;
    HealthServer server_;
    bool refused_ = false;  // at the last settle()
};

}  // namespace proxy
