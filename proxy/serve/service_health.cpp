#include "proxy/serve/service_health.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "proxy/engine/turns.hpp"
#include "proxy/serve/health_reply.hpp"

namespace proxy {

namespace asio = boost::asio;

ServiceHealth::ServiceHealth(asio::io_context& context, Engine& engine, const Mirror& kernel,
                             std::function<bool()> proxy_is_healthy, std::function<void()> changed)
    : context_(context),
      engine_(engine),
      kernel_(kernel),
      server_(
          context.get_executor(),
          [this, is_healthy = std::move(proxy_is_healthy)](std::uint16_t port) -> std::optional<Reply> {
              const auto found = engine_.health_ports().find(port);
              return found ? std::optional(health_reply(*found, is_healthy())) : std::nullopt;
          },
          std::move(changed)) {}

asio::awaitable<void> ServiceHealth::settle(bool refused) {
    bool all = std::exchange(refused_, refused) || refused;
    while (engine_.settle_health_ports(kernel_, std::exchange(all, false), turns::port_slice))
        co_await asio::post(context_, asio::use_awaitable);
}

bool ServiceHealth::follow() {
    engine_.settle_health_ports(kernel_, false);
    std::vector<Address> addresses = engine_.facts().node_port_addresses;
    std::erase_if(addresses, [&](const Address& address) { return address.is_v6() && !engine_.facts().has_ipv6; });
    HealthPorts& ports = engine_.health_ports();
    return server_.follow(
        ports.exchange_touched(), [&](std::uint16_t port) { return ports.find(port).has_value(); },
        std::move(addresses));
}

}  // namespace proxy
