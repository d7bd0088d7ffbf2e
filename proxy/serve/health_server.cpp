#include "proxy/serve/health_server.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/asio_address.hpp"

namespace proxy {
namespace {

std::string failure_text(const Address& address, std::uint16_t port, const std::string& problem) {
    return fmt::format(
        "spec.healthCheckNodePort: {} cannot be listened on: {}; load balancers see no pod on this node until it can, "
        "which is tried every {} s (`ss -ltnp sport = :{}` shows who has it)",
        netlink::endpoint_text(address, port), problem, Listener::retry.count(), port);
}

}  // namespace

HealthServer::HealthServer(boost::asio::any_io_executor executor, AnswerOf answer_of, std::function<void()> changed,
                           std::chrono::milliseconds retry)
    : executor_(std::move(executor)),
      answer_of_(std::make_shared<AnswerOf>(std::move(answer_of))),
      changed_(std::move(changed)),
      retry_(retry) {}

void HealthServer::note(const Place& place, const std::string& problem) {
    if (problem.empty())
        failures_.erase(place);
    else
        failures_[place] = {place.first, failure_text(place.second, place.first, problem)};
}

void HealthServer::forget(std::uint16_t port, const Listeners& listeners) {
    for (const auto& [address, listener] : listeners)
        failures_.erase({port, address});
}

void HealthServer::listen(std::uint16_t port, Listeners& listeners) {
    std::erase_if(listeners, [&](const auto& listener) {
        const bool stays = std::binary_search(addresses_.begin(), addresses_.end(), listener.first);
        if (!stays)
            failures_.erase({port, listener.first});
        return !stays;
    });
    for (const Address& address : addresses_) {
        std::unique_ptr<Listener>& listener = listeners[address];
        if (listener)
            continue;
        const auto answer = [weak = std::weak_ptr(answer_of_), port]() -> std::optional<Reply> {
            const auto answer_of = weak.lock();
            return answer_of ? (*answer_of)(port) : std::nullopt;
        };
        const auto changed = [this, port, address] {
            note({port, address}, ports_[port][address]->problem());
            changed_();
        };
        listener = std::make_unique<Listener>(executor_, boost::asio::ip::tcp::endpoint(base::to_asio(address), port),
                                              handler_of(answer), changed, retry_);
        note({port, address}, listener->problem());
    }
}

bool HealthServer::follow(const std::set<std::uint16_t>& touched, const std::function<bool(std::uint16_t)>& wanted,
                          std::vector<Address> addresses) {
    std::sort(addresses.begin(), addresses.end());
    std::set<std::uint16_t> visited = touched;
    if (addresses != addresses_)
        for (const auto& [port, listeners] : ports_)
            visited.insert(port);
    addresses_ = std::move(addresses);
    const auto before = failures_;
    for (const std::uint16_t port : visited) {
        if (wanted(port)) {
            listen(port, ports_[port]);
            continue;
        }
        forget(port, ports_[port]);
        ports_.erase(port);
    }
    return failures_ != before;
}

std::vector<ListenFailure> HealthServer::failures() const {
    std::vector<ListenFailure> all;
    for (const auto& [place, failure] : failures_)
        all.push_back(failure);
    return all;
}

}  // namespace proxy
