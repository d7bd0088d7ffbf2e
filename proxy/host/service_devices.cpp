#include "proxy/host/service_devices.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "netlink/links.hpp"

namespace proxy {
namespace {

std::optional<DeviceOwner> owner_of(const std::string& name) {
    static const std::map<std::string, DeviceOwner> owners = {{"kube-ipvs0", DeviceOwner::kube_proxy},
                                                              {"kube-dummy-if", DeviceOwner::kube_router},
                                                              {"nodelocaldns", DeviceOwner::node_local_dns}};
    const auto found = owners.find(name);
    return found == owners.end() ? std::nullopt : std::optional(found->second);
}

std::set<Address> addresses_of(const std::vector<ServiceDevice>& devices, bool of_dns_cache) {
    std::set<Address> all;
    for (const ServiceDevice& device : devices)
        if ((device.owner == DeviceOwner::node_local_dns) == of_dns_cache)
            for (const netlink::HostAddress& address : device.addresses)
                all.insert(address.address);
    return all;
}

}  // namespace

const char* word(DeviceOwner owner) {
    static constexpr const char* words[] = {"kube-proxy", "kube-router", "NodeLocal DNSCache"};
    return words[static_cast<std::size_t>(owner)];
}

HostAddresses sort_out(std::vector<netlink::HostAddress> all,
                       const std::function<std::string(const std::string& link)>& kind_of) {
    HostAddresses sorted;
    std::map<std::string, ServiceDevice> devices;
    std::map<std::string, bool> is_dummy;
    for (netlink::HostAddress& address : all) {
        const auto owner = owner_of(address.interface);
        const auto [known, asked] = is_dummy.try_emplace(address.interface, false);
        if (owner && asked)
            known->second = kind_of(address.interface) == "dummy";
        if (!owner || !known->second || address.address.is_link_local()) {
            sorted.own.push_back(std::move(address));
            continue;
        }
        ServiceDevice& device = devices[address.interface];
        device.owner = *owner;
        device.name = address.interface;
        device.addresses.push_back(std::move(address));
    }
    for (auto& [name, device] : devices)
        sorted.devices.push_back(std::move(device));
    return sorted;
}

HostAddresses read_host_addresses() {
    return sort_out(netlink::host_addresses(), netlink::link_kind);
}

std::set<Address> held_by_dns_cache(const std::vector<ServiceDevice>& devices) {
    return addresses_of(devices, true);
}

std::set<Address> held_by_proxies(const std::vector<ServiceDevice>& devices) {
    return addresses_of(devices, false);
}

std::set<Address> served_by_proxies(const HostAddresses& addresses) {
    std::set<Address> served = held_by_proxies(addresses.devices);
    if (!served.empty())
        for (const netlink::HostAddress& own : addresses.own)
            served.insert(own.address);
    return served;
}

std::vector<std::string> told_at_start(const std::vector<ServiceDevice>& devices) {
    std::vector<std::string> told;
    for (const ServiceDevice& device : devices) {
        const std::string holds =
            fmt::format("device {} of {} holds {} addresses, first {}", device.name, word(device.owner),
                        device.addresses.size(), device.addresses.front().address.to_string());
        told.push_back(holds + (device.owner == DeviceOwner::node_local_dns
                                    ? ": what it answers there, port 53, is left to it"
                                    : ": they are taken over one by one, as routes of ours take their place"));
    }
    return told;
}

}  // namespace proxy
