#include "proxy/host/kernel_options.hpp"

namespace proxy {

netlink::LinuxKernelOptions kernel_options(const Config& config) {
    netlink::LinuxKernelOptions options;
    options.route_protocol = config.route_protocol;
    options.sources.assign(config.node_ip.begin(), config.node_ip.end());
    options.rules.pod_interface = config.pod_bridge_interface;
    if (!config.pod_interface_name_prefix.empty())
        options.rules.pod_interface = config.pod_interface_name_prefix + "*";
    options.rules.masquerade_all = config.masquerade_all;
    options.rules.fwmark = config.fwmark;
    return options;
}

}  // namespace proxy
