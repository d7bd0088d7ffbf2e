// Listens on the health check ports of Services: each on every address on which node ports are served.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "proxy/engine/reconciler.hpp"
#include "proxy/plan/plan.hpp"
#include "proxy/serve/admin.hpp"

namespace proxy {

/// An address and port that cannot be listened on. For an Event on the Service: reason and text.
struct ListenFailure {
    static constexpr const char* reason = "FailedToStartServiceHealthcheck";  ///< kube-proxy's
    std::uint16_t port = 0;
    std::string text;  ///< "spec.healthCheckNodePort: 192.168.50.10:31000 cannot be listened on: ..."
    auto operator<=>(const ListenFailure&) const = default;
};

class HealthServer {
public:
    /// What is said on a port now; nullopt: no Service has it.
    using AnswerOf = std::function<std::optional<Reply>(std::uint16_t port)>;

    HealthServer(boost::asio::any_io_executor executor, AnswerOf answer_of);
    /// Connections that are open are closed, at the latest with their next request.
    ~HealthServer();
    HealthServer(const HealthServer&) = delete;
    HealthServer& operator=(const HealthServer&) = delete;

    /// Opens and closes what the touched ports and changed addresses ask for, and tries again what failed before.
    /// `wanted`: whether a Service has the port. A port that stays is not interrupted. True when failures() has
    /// changed.
    bool follow(const std::set<std::uint16_t>& touched, const std::function<bool(std::uint16_t)>& wanted,
                std::vector<Address> addresses, Time now);

    /// In the order of ports.
    const std::vector<ListenFailure>& failures() const { return failures_; }

    /// When follow() is to be called again because of failures; nullopt: there are none.
    std::optional<Time> next_retry() const;

private:
    using Acceptor = boost::asio::ip::tcp::acceptor;
    using Listeners = std::map<Address, std::shared_ptr<Acceptor>>;

    void listen(std::uint16_t port, Listeners& listeners, std::vector<ListenFailure>& failures);
    std::shared_ptr<Acceptor> open(const Address& address, std::uint16_t port, boost::system::error_code& error);

    boost::asio::any_io_executor executor_;
    std::shared_ptr<AnswerOf> answer_of_;  // connections outlive the server, but not what it knows
    std::vector<Address> addresses_;
    std::map<std::uint16_t, Listeners> ports_;
    std::vector<ListenFailure> failures_;
    Time tried_;
};

}  // namespace proxy
