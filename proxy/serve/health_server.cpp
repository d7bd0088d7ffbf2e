#include "proxy/serve/health_server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "base/asio_address.hpp"

namespace proxy {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr auto retry_period = std::chrono::seconds(5);

void close(tcp::acceptor& acceptor) {
    boost::system::error_code ignored;
    acceptor.close(ignored);
}

std::string failure_text(const Address& address, std::uint16_t port, const boost::system::error_code& error) {
    return fmt::format(
        "spec.healthCheckNodePort: {} cannot be listened on: {}; load balancers see no pod on this node until it can, "
        "which is tried every {} s (`ss -ltnp sport = :{}` shows who has it)",
        netlink::endpoint_text(address, port), error.message(), retry_period.count(), port);
}

}  // namespace

HealthServer::HealthServer(asio::any_io_executor executor, AnswerOf answer_of)
    : executor_(std::move(executor)), answer_of_(std::make_shared<AnswerOf>(std::move(answer_of))) {}

HealthServer::~HealthServer() {
    for (auto& [port, listeners] : ports_)
        for (auto& [address, acceptor] : listeners)
            close(*acceptor);
}

std::shared_ptr<tcp::acceptor> HealthServer::open(const Address& address, std::uint16_t port,
                                                  boost::system::error_code& error) {
    auto acceptor = std::make_shared<tcp::acceptor>(executor_);
    const tcp::endpoint endpoint(base::to_asio(address), port);
    const auto attempt = [&](auto step) {
        if (!error)
            step();
    };
    attempt([&] { acceptor->open(endpoint.protocol(), error); });
    attempt([&] { acceptor->set_option(tcp::acceptor::reuse_address(true), error); });
    attempt([&] { acceptor->bind(endpoint, error); });
    attempt([&] { acceptor->listen(tcp::acceptor::max_listen_connections, error); });
    return acceptor;
}

void HealthServer::listen(std::uint16_t port, Listeners& listeners, std::vector<ListenFailure>& failures) {
    std::erase_if(listeners, [&](auto& listener) {
        const bool stays = std::binary_search(addresses_.begin(), addresses_.end(), listener.first);
        if (!stays)
            close(*listener.second);
        return !stays;
    });
    for (const Address& address : addresses_) {
        if (listeners.contains(address))
            continue;
        boost::system::error_code error;
        auto acceptor = open(address, port, error);
        if (error) {
            failures.push_back({port, failure_text(address, port, error)});
            continue;
        }
        const auto answer = [weak = std::weak_ptr(answer_of_), port]() -> std::optional<Reply> {
            const auto answer_of = weak.lock();
            return answer_of ? (*answer_of)(port) : std::nullopt;
        };
        asio::co_spawn(executor_, serve(acceptor, answer), asio::detached);
        listeners.emplace(address, std::move(acceptor));
    }
}

bool HealthServer::follow(const std::set<std::uint16_t>& touched, const std::function<bool(std::uint16_t)>& wanted,
                          std::vector<Address> addresses, Time now) {
    std::sort(addresses.begin(), addresses.end());
    std::set<std::uint16_t> visited = touched;
    for (const ListenFailure& failure : failures_)
        visited.insert(failure.port);
    if (addresses != addresses_)
        for (const auto& [port, listeners] : ports_)
            visited.insert(port);
    addresses_ = std::move(addresses);
    std::vector<ListenFailure> failures;
    for (const std::uint16_t port : visited) {
        if (wanted(port)) {
            listen(port, ports_[port], failures);
            continue;
        }
        for (auto& [address, acceptor] : ports_[port])
            close(*acceptor);
        ports_.erase(port);
    }
    tried_ = now;
    return std::exchange(failures_, std::move(failures)) != failures_;
}

std::optional<Time> HealthServer::next_retry() const {
    return failures_.empty() ? std::nullopt : std::optional<Time>(tried_ + retry_period);
}

}  // namespace proxy
