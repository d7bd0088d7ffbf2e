// Removes stale entries of connection tracking (stale_flows.hpp) after the kernel has accepted changes that may leave
// some, on a thread of its own: reading 100,000 entries takes a second in the lab (docs/performance.md).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "proxy/serve/metrics.hpp"
#include "proxy/sync/stale_flows.hpp"

namespace proxy {

/// How long to wait after a cleaning that took `took`: nine times that, so that at most a tenth of one processor is
/// spent on it however fast Services change; at least 200 ms, at most 10 s.
std::chrono::milliseconds pause_after(std::chrono::steady_clock::duration took);

/// Connection tracking, as far as the cleaner needs it (netlink::Conntrack).
struct FlowTable {
    /// Calls back for each entry; false when the look was interrupted, so that some may have been missed.
    std::function<bool(const std::function<void(const netlink::Flow&)>&)> each;
    std::function<std::size_t(std::span<const netlink::Flow>)> remove;
};

/// Removes the entries that are stale; returns how many. After an interrupted look it looks again, three times in all:
/// what came is removed each time, and a table that never stands still is left at that, as by kube-proxy.
std::size_t remove_stale(const FlowTable& table, const std::function<bool(const netlink::Flow&)>& is_stale);

class FlowCleaner {
public:
    /// `desired` and `metrics` must outlive it.
    FlowCleaner(boost::asio::io_context& context, const Desired& desired, Metrics& metrics)
        : context_(context), desired_(desired), metrics_(metrics), timer_(context) {}

    /// A change that the kernel has accepted; `mirror` is the kernel after it.
    void note(const netlink::Change& change, const netlink::KernelState& mirror);
    /// Everything, at the start: once the kernel holds it.
    void note_all(const netlink::KernelState& mirror);

    /// The kernel holds what has been noted: a cleaning begins, or follows the one that runs. Never blocks.
    void kick();

private:
    struct Cleaned {
        bool ipv6 = false;
        const char* what = "";  // its entries, for the log
        std::size_t deleted = 0;
        std::chrono::steady_clock::duration took{};
        std::string error;
    };

    boost::asio::awaitable<void> clean_until_nothing_is_noted();
    struct Work {
        UdpFrontEnds changed;
        EarlyClients early;
    };
    bool nothing_is_noted() const { return changed_.empty() && fresh_.empty(); }
    boost::asio::awaitable<std::vector<Cleaned>> on_pool(Work work);
    std::vector<Cleaned> clean(const Work& work);
    Cleaned clean_with(bool ipv6, const char* what, const std::function<std::size_t(netlink::Conntrack&)>& remove);
    bool account(const std::vector<Cleaned>& all);

    boost::asio::io_context& context_;
    const Desired& desired_;
    Metrics& metrics_;
    boost::asio::steady_timer timer_;
    std::set<netlink::VirtualServer> changed_;
    std::vector<netlink::VirtualServer> fresh_;  // that may have early clients
    bool running_ = false;
    std::string last_error_;
    std::chrono::steady_clock::time_point next_;
    std::unique_ptr<netlink::Conntrack> conntrack_;  // of the pool's thread
    boost::asio::thread_pool pool_{1};               // last: joined first
};

}  // namespace proxy
