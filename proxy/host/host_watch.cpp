#include "proxy/host/host_watch.hpp"

#include <exception>

#include "proxy/host/default_addresses.hpp"
#include "proxy/log/error_words.hpp"
#include "proxy/log/log.hpp"

namespace proxy {

void HostWatch::look_at_firewall(netlink::LinuxKernel& kernel) {
    try {
        netlink::HostFirewall found = netlink::read_host_firewall();
        firewall_.look(std::move(found), kernel.read_passage());
        kernel.count_passage(firewall_.wants_counts());
        failed_look_.clear();
    } catch (const std::exception& error) {
        const std::string words = words_of(error);
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
    all.insert(all.end(), address_problems_.begin(), address_problems_.end());
    return all;
}

}  // namespace proxy
