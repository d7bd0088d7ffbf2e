// Devices on which other programs keep addresses of Services, so that they are local to the node: known by name and
// kind. Such an address is none of the host's own. Pure.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "netlink/host.hpp"

namespace proxy {

using base::Address;

enum class DeviceOwner : std::uint8_t {
    kube_proxy,      ///< kube-ipvs0, of mode ipvs (pkg/proxy/ipvs/proxier.go, DefaultDummyDevice)
    kube_router,     ///< kube-dummy-if (pkg/controllers/proxy, KubeDummyIf)
    node_local_dns,  ///< nodelocaldns (kubernetes/dns, cmd/node-cache, -interfacename)
};

/// "kube-proxy", "kube-router", "NodeLocal DNSCache"
const char* word(DeviceOwner owner);

struct ServiceDevice {
    DeviceOwner owner = DeviceOwner::kube_proxy;
    std::string name;
    std::vector<netlink::HostAddress> addresses;  ///< at least one
    bool operator==(const ServiceDevice&) const = default;
};

struct HostAddresses {
    std::vector<netlink::HostAddress> own;  ///< of the host itself
    std::vector<ServiceDevice> devices;
};

/// `kind_of`: netlink::link_kind(); it is asked for names of such devices only.
HostAddresses sort_out(std::vector<netlink::HostAddress> all,
                       const std::function<std::string(const std::string& link)>& kind_of);

/// Sorts out what the kernel says now. Throws std::system_error.
HostAddresses read_host_addresses();

/// Those on which NodeLocal DNSCache answers in the place of the cluster's DNS Service.
std::set<Address> held_by_dns_cache(const std::vector<ServiceDevice>& devices);
/// Those of other service proxies: a route of ours comes before theirs.
std::set<Address> held_by_proxies(const std::vector<ServiceDevice>& devices);

/// Addresses on which another service proxy serves that has its device here: those of its device, and the host's own
/// for node ports. It has adopted the virtual servers there, whoever made them, and removes itself what it does not
/// want (pkg/proxy/ipvs/proxier.go, cleanLegacyService).
std::set<Address> served_by_proxies(const HostAddresses& addresses);

/// What becomes of each device, for who reads the log of a start.
std::vector<std::string> told_at_start(const std::vector<ServiceDevice>& devices);

}  // namespace proxy
