// The node's own addresses where no setting and no Node object name them. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "netlink/host.hpp"
#include "proxy/config/config.hpp"

namespace proxy {

/// What the kernel says of this host.
struct HostNetwork {
    std::vector<netlink::HostAddress> addresses;
    std::vector<netlink::HostRoute> routes;
    std::optional<Address> source4;  ///< netlink::default_source()
    std::optional<Address> source6;
};

/// Gives at most one of each family, IPv4 first: the source of the default route. Where that route has several next
/// hops and no `src`, the kernel's choice differs from boot to boot: there the first address of the first of their
/// interfaces, by name, that has one. Without a default route of the family, the first address of the interface that
/// the other family's default route is by, as kube-proxy and the kubelet choose a node's two addresses from one
/// interface.
std::vector<Address> default_addresses(const HostNetwork& host);

/// `node_ip`, and for families that it lacks what default_addresses() says.
std::vector<Address> with_missing_families(std::vector<Address> node_ip, const HostNetwork& host);

/// Says, for each family of service_cluster_ip_range that has none of `node_port_addresses`, or when that range is not
/// known and there is none at all: a sentence with the remedy.
std::vector<std::string> node_port_problems(const Config& config, const std::vector<Address>& node_port_addresses);

}  // namespace proxy
