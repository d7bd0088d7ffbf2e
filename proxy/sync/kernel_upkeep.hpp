// Keeps in place what exists once in the kernel (device, table, policy routing) and the host's settings, and counts
// what somebody else has changed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "netlink/linux_kernel.hpp"
#include "proxy/engine/reconciler.hpp"
#include "proxy/serve/metrics.hpp"

namespace proxy {

class KernelUpkeep {
public:
    /// All three must outlive it.
    KernelUpkeep(const Config& config, netlink::LinuxKernel& kernel, Metrics& metrics)
        : config_(config), kernel_(kernel), metrics_(metrics) {}

    /// Runs at the start. Returns what had to be done; what could not be done is a problem until the next time.
    netlink::LinuxKernel::Prepared prepare();

    /// The same where everything should be in place: what is not has been damaged by somebody. True: what the kernel
    /// has refused may be accepted now.
    bool put_back();

    /// Addresses or families of the host have changed: what follows from that is nobody's damage.
    void note_host_change() { host_changed_ = true; }
    /// Whether they have, since the last call.
    bool exchange_host_change() { return std::exchange(host_changed_, false); }

    /// What an audit has found is logged and counted.
    void account(const Drift& drift);
    /// Counts IPVS's connections. Call it after all real servers have been read.
    void count_connections();

    /// What somebody else changed and we have put back, since the start.
    std::uint64_t drift_repairs() const { return drift_repairs_; }
    /// Says in sentences what cannot be put in place here, and what makes IPVS slow.
    std::vector<std::string> problems() const;
    /// Sysctls that a read-only file system shows.
    const std::vector<std::string>& read_only() const { return read_only_; }

private:
    const Config& config_;
    netlink::LinuxKernel& kernel_;
    Metrics& metrics_;
    bool host_changed_ = false;
    std::uint64_t drift_repairs_ = 0;
    std::vector<std::string> problems_;         // of the last time
    std::vector<std::string> read_only_;        // of the last time
    std::optional<std::string> table_problem_;  // of IPVS's connections
};

}  // namespace proxy
