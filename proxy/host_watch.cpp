#include "proxy/host_watch.hpp"

#include "proxy/default_addresses.hpp"

namespace proxy {

void HostWatch::note_node_port_addresses(const std::vector<Address>& addresses) {
    address_problems_ = node_port_problems(config_, addresses);
}

}  // namespace proxy
