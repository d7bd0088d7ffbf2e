// The running node: what is fed by the folder, the prober and the kernel's notifications, and the one loop that carries
// the engine's wishes to the kernel.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "api/folder.hpp"
#include "health/prober.hpp"
#include "netlink/linux_kernel.hpp"
#include "netlink/monitor.hpp"
#include "proxy/engine.hpp"
#include "proxy/metrics.hpp"
#include "proxy/reconciler.hpp"
#include "proxy/state_file.hpp"

namespace proxy {

class NodeLoop {
public:
    /// `began`: when the program was started, for podferry_start_seconds. Throws when the kernel cannot be spoken to.
    NodeLoop(boost::asio::io_context& context, Config config, std::string manifests, Time began);

    /// Adopts the kernel, reads the folder, programs everything. Blocks. Throws std::exception.
    void start();

    /// Spawns what keeps it up to date. Call once, after start().
    void spawn();

    StatusView status() const;
    std::vector<ServiceView> services() const { return engine_.view(); }
    /// The Prometheus page, with gauges brought up to date.
    std::string metrics();
    /// False when changes have been waiting for the kernel for too long.
    bool healthy() const;
    bool ready() const { return ready_; }
    std::chrono::system_clock::time_point last_sync() const { return last_sync_; }

private:
    boost::asio::awaitable<void> control();
    boost::asio::awaitable<void> sync();
    boost::asio::awaitable<void> audit();
    boost::asio::awaitable<void> sleep_until_needed();
    boost::asio::awaitable<void> listen_to_kernel();
    boost::asio::awaitable<void> listen(boost::asio::posix::stream_descriptor& socket,
                                        netlink::Notices (netlink::Monitor::*read)());

    void take(api::Transaction transaction);
    void take_report(const health::Report& report);
    void take_attempt(const health::Attempt& attempt);
    void take_addresses();
    void program_everything_now();
    /// The number of changes that the kernel took or refused.
    std::size_t step_once(std::size_t limit);
    void account(const StepResult& result);
    void account(const Drift& drift);
    void log_new_problems();
    void finish_sync();
    void wake();
    void update_gauges();

    boost::asio::io_context& context_;
    Config config_;
    std::string manifests_;
    Time began_;
    Metrics metrics_;
    netlink::LinuxKernel kernel_;
    api::Folder folder_;
    StateFile state_file_;
    health::Prober prober_;
    Engine engine_;
    Reconciler reconciler_;
    std::unique_ptr<netlink::Monitor> monitor_;
    std::optional<boost::asio::posix::stream_descriptor> route_socket_;
    std::optional<boost::asio::posix::stream_descriptor> nft_socket_;
    boost::asio::steady_timer timer_;
    bool woken_ = false;
    bool audit_wanted_ = false;
    bool ready_ = false;
    Time next_audit_;
    Time last_audit_;
    std::optional<Time> unsynced_since_;
    std::optional<Time> changed_at_;  // the oldest transaction that the kernel does not hold yet
    std::chrono::system_clock::time_point last_sync_;
    std::uint64_t drift_repairs_ = 0;
    std::size_t probed_containers_ = 0;
    std::set<std::string> logged_problems_;
};

}  // namespace proxy
