#include "proxy/host/default_addresses.hpp"

#include <algorithm>
#include <set>

#include "api/objects/types.hpp"

namespace proxy {
namespace {

using netlink::HostAddress;
using netlink::HostRoute;

/// The default routes of the family that count: those of the lowest metric.
std::vector<HostRoute> default_routes(const HostNetwork& host, bool v6) {
    std::vector<HostRoute> found;
    for (const HostRoute& route : host.routes) {
        if (route.destination.length != 0 || route.destination.address.is_v6() != v6 || route.interface.empty())
            continue;
        if (!found.empty() && route.metric > found.front().metric)
            continue;
        if (!found.empty() && route.metric < found.front().metric)
            found.clear();
        found.push_back(route);
    }
    return found;
}

/// Gives them in the order of their names.
std::set<std::string> interfaces_of(const std::vector<HostRoute>& routes) {
    std::set<std::string> names;
    for (const HostRoute& route : routes)
        names.insert(route.interface);
    return names;
}

std::optional<Address> first_address(const HostNetwork& host, const std::set<std::string>& interfaces, bool v6) {
    for (const std::string& interface : interfaces)
        for (const HostAddress& one : host.addresses)
            if (one.interface == interface && one.address.is_v6() == v6 && !one.passing &&
                !one.address.is_link_local() && !one.address.is_loopback())
                return one.address;
    return std::nullopt;
}

std::optional<Address> default_address(const HostNetwork& host, bool v6) {
    const auto own = default_routes(host, v6);
    const auto& source = v6 ? host.source6 : host.source4;
    const auto interfaces = interfaces_of(own);
    const bool chosen = std::any_of(own.begin(), own.end(), [](const HostRoute& route) { return route.source; });
    if (interfaces.size() > 1 && !chosen)
        if (const auto address = first_address(host, interfaces, v6))
            return address;
    return source ? source : first_address(host, interfaces_of(default_routes(host, !v6)), v6);
}

bool has_family(const std::vector<Address>& addresses, bool v6) {
    return std::any_of(addresses.begin(), addresses.end(), [&](const Address& one) { return one.is_v6() == v6; });
}

}  // namespace

std::vector<Address> default_addresses(const HostNetwork& host) {
    return with_missing_families({}, host);
}

std::vector<Address> with_missing_families(std::vector<Address> node_ip, const HostNetwork& host) {
    for (const bool v6 : {false, true})
        if (!has_family(node_ip, v6))
            if (const auto address = default_address(host, v6))
                node_ip.push_back(*address);
    return node_ip;
}

std::vector<std::string> node_port_problems(const Config& config, const std::vector<Address>& node_port_addresses) {
    const auto nowhere = [&](const std::string& family) {
        const std::string begin = "node ports" + (family.empty() ? "" : " of " + family) + " are served nowhere: ";
        if (!config.node_port_addresses.empty())
            return begin + "setting node_port_addresses selects no address of this host; correct it";
        return begin +
               "neither setting node_ip nor the Node object nor a default route says which address is this node's; set "
               "node_ip or node_port_addresses";
    };
    std::vector<std::string> problems;
    if (config.service_cluster_ip_range.empty() && node_port_addresses.empty())
        problems.push_back(nowhere(""));
    for (const base::Prefix& range : config.service_cluster_ip_range)
        if (!has_family(node_port_addresses, range.address.is_v6()))
            problems.push_back(nowhere(range.address.is_v6() ? "IPv6" : "IPv4"));
    return problems;
}

}  // namespace proxy
