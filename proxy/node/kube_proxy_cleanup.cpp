#include "proxy/node/kube_proxy_cleanup.hpp"

#include <iostream>
#include <optional>
#include <set>
#include <utility>

#include "base/plain_text.hpp"
#include "netlink/kube_proxy_remains.hpp"
#include "netlink/links.hpp"
#include "netlink/linux_kernel.hpp"
#include "proxy/engine/reconciler.hpp"
#include "proxy/host/service_devices.hpp"

namespace proxy {
namespace {

/// kube-ipvs0; nullopt: it is not there, or has no address any more.
std::optional<ServiceDevice> device_of_kube_proxy() {
    for (ServiceDevice& device : read_host_addresses().devices)
        if (device.owner == DeviceOwner::kube_proxy)
            return std::move(device);
    return std::nullopt;
}

/// Virtual servers on the device's addresses, which show whose they are. How many went; `refused` gets a sentence each
/// of what stays.
std::size_t remove_virtual_servers(const Config& config, const ServiceDevice& device,
                                   std::vector<std::string>& refused) {
    netlink::LinuxKernelOptions options;
    options.route_protocol = config.route_protocol;
    netlink::LinuxKernel kernel(options);
    const netlink::KernelState state = kernel.read();
    std::set<Address> addresses;
    for (const netlink::HostAddress& address : device.addresses)
        addresses.insert(address.address);
    std::vector<netlink::Change> changes;
    for (const auto& [server, content] : state.virtual_servers)
        if (server.mark == 0 && addresses.contains(server.address) && !recorded_as_ours(server, state))
            changes.emplace_back(netlink::DeleteVirtualServer{server});
    const auto refusals = kernel.apply(changes);
    for (const netlink::Refusal& refusal : refusals)
        refused.push_back(netlink::to_string(changes[refusal.index]) + ": " + refusal.error.message());
    return changes.size() - refusals.size();
}

}  // namespace

int clean_up_after_kube_proxy(const Config& config) {
    std::vector<std::string> refused;
    std::size_t servers = 0;
    std::size_t addresses = 0;
    if (const auto device = device_of_kube_proxy()) {
        servers = remove_virtual_servers(config, *device, refused);
        addresses = device->addresses.size();
        if (const std::string problem = netlink::delete_dummy(device->name); !problem.empty())
            refused.push_back(problem);
    }
    const netlink::KubeProxyRemains remains = netlink::read_kube_proxy_remains();
    const auto problems = netlink::remove_kube_proxy_remains(remains);
    refused.insert(refused.end(), problems.begin(), problems.end());
    for (const std::string& problem : refused)
        std::cerr << base::printable(problem) << "\n";
    std::cout << "kube-proxy's: " << servers << " virtual servers, " << addresses << " addresses of kube-ipvs0, "
              << remains.chains.size() << " chains and " << remains.jumps.size() << " rules of iptables-nft, "
              << remains.sets.size() << " ipsets, " << remains.tables.size() << " tables of nftables"
              << (refused.empty() ? " are removed" : " were found; what stays is above") << "\n";
    return refused.empty() ? 0 : 1;
}

}  // namespace proxy
