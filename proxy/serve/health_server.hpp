// Listens on the health check ports of Services: each on every address on which node ports are served.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "proxy/plan/plan.hpp"
#include "proxy/serve/listener.hpp"

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

    /// `changed` is called on the loop when failures() has changed otherwise than by follow().
    HealthServer(boost::asio::any_io_executor executor, AnswerOf answer_of, std::function<void()> changed,
                 std::chrono::milliseconds retry = Listener::retry);
    /// Connections that are open are closed, at the latest with their next request.
    ~HealthServer() = default;
    HealthServer(const HealthServer&) = delete;
    HealthServer& operator=(const HealthServer&) = delete;

    /// Opens and closes what the touched ports and changed addresses ask for. `wanted`: whether a Service has the port.
    /// A port that stays is not interrupted, and one that somebody else has is tried again until it is free. True when
    /// failures() has changed.
    bool follow(const std::set<std::uint16_t>& touched, const std::function<bool(std::uint16_t)>& wanted,
                std::vector<Address> addresses);

    /// Lists them in the order of ports.
    std::vector<ListenFailure> failures() const;

private:
    using Listeners = std::map<Address, std::unique_ptr<Listener>>;
    using Place = std::pair<std::uint16_t, Address>;

    void listen(std::uint16_t port, Listeners& listeners);
    void note(const Place& place, const std::string& problem);
    void forget(std::uint16_t port, const Listeners& listeners);

    boost::asio::any_io_executor executor_;
    std::shared_ptr<AnswerOf> answer_of_;  // connections outlive the server, but not what it knows
    std::function<void()> changed_;
    std::chrono::milliseconds retry_;
    std::vector<Address> addresses_;
    std::map<std::uint16_t, Listeners> ports_;
    std::map<Place, ListenFailure> failures_;
};

}  // namespace proxy
