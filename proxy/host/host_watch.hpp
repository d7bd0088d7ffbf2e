// What about the host keeps Services from working although everything of ours is in the kernel: its firewall, another
// service proxy, addresses that it lacks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "netlink/linux_kernel.hpp"
#include "proxy/config/config.hpp"
#include "proxy/host/firewall_check.hpp"
#include "proxy/host/other_proxies.hpp"

namespace proxy {

class HostWatch {
public:
    explicit HostWatch(const Config& config) : config_(config), firewall_(config.service_cluster_ip_range) {}

    /// Looks at the host's firewall and at the chains of another proxy, and has our table count what passes it while it
    /// could drop. A look that is not possible leaves everything as it was.
    void look_at_firewall(netlink::LinuxKernel& kernel);

    /// Node ports are served on these addresses from now on.
    void note_node_port_addresses(const std::vector<Address>& addresses);

    /// ClusterIPs are in these, for the remedies.
    void note_service_ranges(std::vector<base::Prefix> ranges) { firewall_.set_service_ranges(std::move(ranges)); }

    std::vector<std::string> problems() const;
    const FirewallCheck& firewall() const { return firewall_; }
    OtherProxies& other_proxies() { return other_proxies_; }
    const OtherProxies& other_proxies() const { return other_proxies_; }

    /// Takes what is due off the device of another proxy (takeover.hpp), and logs it. Call it when the kernel holds all
    /// that is wanted.
    void take_over(OtherProxies::Time now);

    /// An Event of the Node says that its firewall has been found to drop. `reason` is the Event's.
    static constexpr const char* reason = "FirewallDropsServices";
    std::optional<std::string> exchange_news() { return firewall_.exchange_news(); }

private:
    const Config& config_;
    FirewallCheck firewall_;
    OtherProxies other_proxies_;
    std::vector<std::string> address_problems_;
    std::string failed_look_;
};

}  // namespace proxy
