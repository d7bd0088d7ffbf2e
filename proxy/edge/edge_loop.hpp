// The I/O that an edge's sources share: runs the checks of a balancer, and hands over what changes by them or by time.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <string>

#include "api/objects/source.hpp"
#include "health/prober.hpp"
#include "proxy/config/config.hpp"
#include "proxy/edge/balancer.hpp"
#include "proxy/serve/edge_metrics.hpp"

namespace proxy {

class EdgeLoop {
public:
    /// A start waits no longer for the first answers of all checks.
    static constexpr std::chrono::seconds longest_wait{30};

    /// The references must outlive it.
    EdgeLoop(boost::asio::io_context& context, const Config& config, Metrics& metrics);
    EdgeLoop(const EdgeLoop&) = delete;
    EdgeLoop& operator=(const EdgeLoop&) = delete;

    Balancer& balancer() { return balancer_; }
    const Balancer& balancer() const { return balancer_; }

    /// Front ends have come, changed or gone: they are checked from now on, and what follows is delivered, if it is
    /// time.
    void changed();

    /// Waits until all checks have decided, so that a restart does not take out what it has not asked yet; then
    /// delivers everything, and from then on what changes. Ends only with the loop.
    boost::asio::awaitable<void> run(api::OnTransaction deliver);

    /// Delivers nothing yet.
    bool is_waiting() const { return !began_; }
    /// "the first answers of 3 health checks"
    std::string waiting_for() const;

private:
    health::ProberLimits limits_of(const Config& config);
    boost::asio::awaitable<health::Outcome> ask(health::Check check, std::chrono::milliseconds timeout);
    void note_report(const health::Report& report);
    void note_attempt(const health::Attempt& attempt);
    void say(const health::Report& report);
    void wake();
    void hand_over(bool initial);
    void set_gauges();

    boost::asio::io_context& context_;
    Metrics& metrics_;
    EdgeMetrics edge_metrics_;
    Balancer balancer_;
    boost::asio::steady_timer timer_;
    api::OnTransaction deliver_;
    bool began_ = false;
    bool woken_ = false;
    struct {
        Time since{};
        std::size_t count = 0;
    } said_;  // lines about checks, within a second
    health::Prober prober_;
};

}  // namespace proxy
