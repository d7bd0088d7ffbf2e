// What this host contributes to the configuration: its name, its addresses, its networks.
#pragma once

#include <vector>

#include "netlink/host.hpp"
#include "proxy/config/config.hpp"
#include "proxy/host/default_addresses.hpp"
#include "proxy/host/range_check.hpp"
#include "proxy/plan/plan.hpp"

namespace proxy {

/// The configuration with node_name and node_ip filled in where they were left out (default_addresses.hpp).
Config with_host_defaults(Config config);

/// Throws std::system_error when the kernel cannot be asked.
HostNetwork read_host_network();

/// What a node's addresses can come from.
struct NodeIpSources {
    bool given = false;            ///< setting node_ip is there
    std::vector<Address> node_ip;  ///< it, or what was in use before: at first default_addresses()
    std::vector<Address> node;     ///< the Node object's, in its order
};

/// The addresses of this node: the setting's; else of the Node object's the first of each family that this host has
/// (kube-proxy's primary and second IP); else those that are in use.
std::vector<Address> node_ips_of(const NodeIpSources& sources, const std::vector<netlink::HostAddress>& host);

/// Those of `node_ip` that this host has now: the kernel accepts no other source address for a route.
std::vector<Address> sources_of(const std::vector<Address>& node_ip, const std::vector<netlink::HostAddress>& host);

/// The node's addresses as planning needs them: node ports are served on node_ip, or on those of the host's addresses
/// that node_port_addresses selects (never loopback or link-local ones).
NodeFacts facts_of(const Config& config, const std::vector<Address>& node_ip,
                   const std::vector<netlink::HostAddress>& addresses);
/// The same where node_ip is the setting.
NodeFacts facts_of(const Config& config, const std::vector<netlink::HostAddress>& addresses);

/// The host's subnets and routes, for check_ranges(); without those of our own device.
std::vector<NodeNetwork> networks_of(const std::vector<netlink::HostAddress>& addresses,
                                     const std::vector<netlink::HostRoute>& routes);

}  // namespace proxy
