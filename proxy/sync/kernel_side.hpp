// Carries what the engine wants to the kernel: adopts what is there, programs it, and keeps it so. What is done when is
// KernelSchedule's word; this is the I/O. What else a role has to do at these moments is its KernelRole.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <optional>
#include <string>

#include "netlink/linux_kernel.hpp"
#include "proxy/engine/engine.hpp"
#include "proxy/engine/reconciler.hpp"
#include "proxy/sync/flow_cleaner.hpp"
#include "proxy/sync/kernel_notices.hpp"
#include "proxy/sync/kernel_role.hpp"
#include "proxy/sync/kernel_schedule.hpp"
#include "proxy/sync/kernel_start.hpp"
#include "proxy/sync/kernel_upkeep.hpp"
#include "proxy/sync/start_clock.hpp"

namespace proxy {

class KernelSide {
public:
    /// All references must outlive it. Throws std::system_error when the kernel cannot be spoken to.
    KernelSide(boost::asio::io_context& context, const Config& config, Engine& engine, Metrics& metrics,
               KernelRole& role);

    /// Puts our device and table in place, adopts the kernel as it is, and hears of the host's addresses from then on.
    /// Changes nothing else. Throws std::exception.
    void open();
    /// Adopts the kernel anew when what was read of it has grown old.
    void refresh() { start_.refresh(); }
    /// The objects are complete: plans and programs everything, the most needed first, and once the caller has returned
    /// to the loop, goes on by itself. A failure is a matter of the next round. What is ours and not wanted is removed;
    /// unless that is most of what the kernel has, and `may_have_lost_data` holds of whoever named the objects: then it
    /// stays for relist_hold. Call once.
    void begin(bool may_have_lost_data, StartClock& clock);

    /// Something is to be given to the kernel.
    void wake();
    KernelSchedule& schedule() { return schedule_; }
    const KernelSchedule& schedule() const { return schedule_; }
    KernelUpkeep& upkeep() { return upkeep_; }
    const KernelUpkeep& upkeep() const { return upkeep_; }
    netlink::LinuxKernel& kernel() { return kernel_; }
    const Reconciler& reconciler() const { return reconciler_; }

    /// The kernel carries connections: what is wanted has been programmed, or an earlier run's work was there.
    bool carries() const { return schedule_.has_begun() || start_.adopted_something(); }
    /// When the kernel last held all that was wanted; the epoch: never.
    std::chrono::system_clock::time_point last_sync() const { return last_sync_; }

private:
    void program();
    boost::asio::awaitable<void> run();
    boost::asio::awaitable<void> do_next(Act act);
    Dues dues() const;
    boost::asio::awaitable<void> listen();
    boost::asio::awaitable<void> plan();
    boost::asio::awaitable<void> sync();
    boost::asio::awaitable<void> audit();
    void count_draining();
    std::size_t step(std::size_t limit);
    void account(const StepResult& result);
    void finish();
    void fail(std::string reason);

    boost::asio::io_context& context_;
    const Config& config_;
    Engine& engine_;
    Metrics& metrics_;
    KernelRole& role_;
    netlink::LinuxKernel kernel_;
    Reconciler reconciler_;
    KernelUpkeep upkeep_;
    KernelSchedule schedule_;
    KernelStart start_;
    FlowCleaner flow_cleaner_;
    boost::asio::steady_timer timer_;
    std::optional<KernelNotices> notices_;
    std::chrono::system_clock::time_point last_sync_;
};

}  // namespace proxy
