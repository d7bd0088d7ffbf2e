#include "proxy/host_watch.hpp"

#include <exception>

#include "proxy/default_addresses.hpp"
#include "proxy/log.hpp"

namespace proxy {

void HostWatch::look_at_firewall(netlink::LinuxKernel& kernel) {
    try {
        netlink::HostFirewall found = netlink::read_host_firewall();
        firewall_.look(std::move(found), kernel.read_passage());
        kernel.count_passage(firewall_.wants_counts());
        failed_look_.clear();
    } catch (const std::exception& error) {
        if (failed_look_ != error.what())
            log::warning("this host's firewall cannot be looked at", {{"reason", error.what()}});
        failed_look_ = error.what();
    }
}

void HostWatch::note_node_port_addresses(const std::vector<Address>& addresses) {
    address_problems_ = node_port_problems(config_, addresses);
}

std::vector<std::string> HostWatch::problems() const {
    std::vector<std::string> all = firewall_.problems();
    all.insert(all.end(), address_problems_.begin(), address_problems_.end());
    return all;
}

}  // namespace proxy
