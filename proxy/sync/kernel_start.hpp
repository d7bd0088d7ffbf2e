// The start of the kernel side: what an earlier run has left is adopted, and what is not wanted of it is removed,
// unless whoever named the objects may have lost data.
#pragma once

#include <chrono>

#include "netlink/linux_kernel.hpp"
#include "proxy/config/config.hpp"
#include "proxy/engine/engine.hpp"
#include "proxy/engine/reconciler.hpp"
#include "proxy/sync/kernel_role.hpp"
#include "proxy/sync/kernel_schedule.hpp"
#include "proxy/sync/kernel_upkeep.hpp"

namespace proxy {

/// What it works on; all must outlive it.
struct KernelParts {
    const Config& config;
    Engine& engine;
    netlink::LinuxKernel& kernel;
    Reconciler& reconciler;
    KernelUpkeep& upkeep;
    KernelSchedule& schedule;
};

class KernelStart {
public:
    explicit KernelStart(KernelParts parts) : parts_(parts) {}

    /// Puts our device and table in place, and adopts the kernel as it is. Changes nothing else. Throws std::exception.
    void open(KernelRole& role);
    /// Adopts the kernel anew when what was read of it has grown old.
    void refresh();
    /// Plans what nodes need first; then it is given to the kernel.
    void plan_the_needed();
    /// Plans the rest. What is ours and not wanted is to be removed; unless that is most of what the kernel has, and
    /// `may_have_lost_data`: then it stays for relist_hold.
    void plan_the_rest(bool may_have_lost_data);

    /// An earlier run's work was there.
    bool adopted_something() const { return adopted_something_; }

private:
    void adopt();
    void sweep_or_hold(bool may_have_lost_data);

    KernelParts parts_;
    Time adopted_;
    bool adopted_something_ = false;
};

}  // namespace proxy
