#include "proxy/host/host_watch.hpp"

#include <exception>

#include "base/error_words.hpp"
#include "netlink/links.hpp"
#include "proxy/host/default_addresses.hpp"
#include "proxy/log/log.hpp"

namespace proxy {

void HostWatch::look_at_firewall(netlink::LinuxKernel& kernel) {
    try {
        netlink::HostFirewall found = netlink::read_host_firewall();
        other_proxies_.look_at_chains(found.of_kube_proxy);
        firewall_.look(std::move(found), kernel.read_passage());
        kernel.count_passage(firewall_.wants_counts());
        failed_look_.clear();
    } catch (const std::exception& error) {
        const std::string words = base::words_of(error);
        if (failed_look_ != words)
            log::warning("this host's firewall cannot be looked at", {{"reason", words}});
        failed_look_ = words;
    }
}

void HostWatch::note_node_port_addresses(const std::vector<Address>& addresses) {
    address_problems_ = node_port_problems(config_, addresses);
}

std::vector<std::string> HostWatch::problems() const {
    std::vector<std::string> all = firewall_.problems();
    for (const auto& some : {other_proxies_.problems(), address_problems_})
        all.insert(all.end(), some.begin(), some.end());
    return all;
}

/// A removal is told of by the kernel, and the host's addresses are read anew; so the next slice follows by itself.
void HostWatch::take_over(OtherProxies::Time now) {
    const auto removal = other_proxies_.next_removal(now);
    if (!removal)
        return;
    std::string problem = netlink::remove_addresses(removal->device, removal->addresses);
    if (problem.empty() && removal->whole)
        problem = netlink::delete_dummy(removal->device);
    other_proxies_.note_removed(*removal);
    if (!problem.empty())
        log::warning("what another proxy has left cannot be taken off its device",
                     {{"device", removal->device}, {"reason", problem}});
    else
        log::info("taken over from another proxy's device",
                  {{"device", removal->device},
                   {"addresses", std::to_string(removal->addresses.size())},
                   {"all", removal->whole ? "yes: the device is gone too" : "no"}});
}

}  // namespace proxy
