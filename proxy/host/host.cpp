#include "proxy/host/host.hpp"

#include <unistd.h>

#include <algorithm>

#include "netlink/routes.hpp"
#include "netlink/sysctl.hpp"
#include "proxy/host/service_devices.hpp"

namespace proxy {
namespace {

std::string host_name() {
    char name[256] = {};
    if (::gethostname(name, sizeof(name) - 1) != 0)
        return "localhost";
    std::string text = name;
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(::tolower(c)); });
    return text;
}

bool inside_any(const std::vector<base::Prefix>& prefixes, const Address& address) {
    return std::any_of(prefixes.begin(), prefixes.end(),
                       [&](const base::Prefix& prefix) { return contains(prefix, address); });
}

/// The kubelet's: its API, the read-only one, and its own health (kubelet configuration v1beta1).
constexpr std::uint16_t kubelet_ports[] = {10250, 10255, 10248};

ClaimFacts claims_of(const Config& config, const std::vector<netlink::HostAddress>& addresses) {
    ClaimFacts facts;
    facts.external_ips = config.external_ips;
    facts.pod_networks = config.network_cidr;
    facts.service_ranges = config.service_cluster_ip_range;
    facts.own_ports = {std::begin(kubelet_ports), std::end(kubelet_ports)};
    for (const auto* listeners : {&config.metrics_bind_address, &config.healthz_bind_address})
        for (const Listen& where : *listeners)
            facts.own_ports.insert(where.port);
    for (const netlink::HostAddress& host : addresses)
        if (host.address.is_v4() && host.prefix_length < 31 && !host.address.is_loopback() &&
            !host.address.is_link_local()) {
            const base::Prefix subnet = base::network_of(host.address, host.prefix_length);
            facts.broadcasts.insert(base::address_at(subnet, size_of(subnet) - 1));
        }
    return facts;
}

}  // namespace

Config with_host_defaults(Config config) {
    if (config.node_name.empty())
        config.node_name = host_name();
    if (config.node_ip.empty())
        config.node_ip = default_addresses(read_host_network());
    for (auto* listeners : {&config.metrics_bind_address, &config.healthz_bind_address})
        *listeners = listens_of(*listeners, config.node_ip);
    return config;
}

HostNetwork read_host_network() {
    return {read_host_addresses().own, netlink::host_routes(), netlink::default_source(false),
            netlink::default_source(true)};
}

std::vector<Address> node_ips_of(const NodeIpSources& sources, const std::vector<netlink::HostAddress>& host) {
    if (sources.given)
        return sources.node_ip;
    std::vector<Address> chosen;
    for (const Address& address : sources.node) {
        const bool ours = std::any_of(host.begin(), host.end(),
                                      [&](const netlink::HostAddress& own) { return own.address == address; });
        const bool taken = std::any_of(chosen.begin(), chosen.end(),
                                       [&](const Address& other) { return other.is_v6() == address.is_v6(); });
        if (ours && !taken)
            chosen.push_back(address);
    }
    return chosen.empty() ? sources.node_ip : chosen;
}

std::vector<Address> sources_of(const std::vector<Address>& node_ip, const std::vector<netlink::HostAddress>& host) {
    std::vector<Address> sources;
    for (const netlink::HostAddress& own : host)
        if (std::find(node_ip.begin(), node_ip.end(), own.address) != node_ip.end() &&
            std::find(sources.begin(), sources.end(), own.address) == sources.end())
            sources.emplace_back(own.address);
    return sources;
}

NodeFacts facts_of(const Config& config, const std::vector<netlink::HostAddress>& addresses) {
    return facts_of(config, config.node_ip, addresses);
}

NodeFacts facts_of(const Config& config, const std::vector<Address>& node_ip,
                   const std::vector<netlink::HostAddress>& addresses) {
    NodeFacts facts;
    facts.scheduler = config.scheduler;
    facts.place.node = config.node_name;
    facts.has_ipv6 = netlink::ipv6_is_on(netlink::device_name);
    facts.claims = claims_of(config, addresses);
    for (const netlink::HostAddress& host : addresses) {
        if (host.address.is_link_local())  // each pod's link brings one, and no Service is about it
            continue;
        facts.own_addresses.insert(host.address);
        if (host.address.is_loopback())
            continue;
        if (inside_any(config.node_port_addresses, host.address))
            facts.node_port_addresses.push_back(host.address);
    }
    if (config.node_port_addresses.empty())
        facts.node_port_addresses = node_ip;
    std::sort(facts.node_port_addresses.begin(), facts.node_port_addresses.end());
    return facts;
}

std::vector<NodeNetwork> networks_of(const std::vector<netlink::HostAddress>& addresses,
                                     const std::vector<netlink::HostRoute>& routes) {
    std::vector<NodeNetwork> networks;
    for (const netlink::HostAddress& host : addresses)
        if (host.interface != netlink::device_name && !host.address.is_link_local() && !host.address.is_loopback())
            networks.push_back(
                {base::network_of(host.address, host.prefix_length), "interface " + host.interface + "'s subnet"});
    for (const netlink::HostRoute& route : routes)
        if (route.interface != netlink::device_name && !route.destination.address.is_link_local())
            networks.push_back({route.destination, "the route via " + route.interface});
    return networks;
}

}  // namespace proxy
