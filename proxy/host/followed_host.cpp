#include "proxy/host/followed_host.hpp"

#include "proxy/config/setting_values.hpp"
#include "proxy/host/host.hpp"
#include "proxy/log/log.hpp"
#include "proxy/plan/facts_change.hpp"

namespace proxy {

FollowedHost follow_host(NodeIdentity& identity, const NetworkPlan& networks, const NodeFacts& before) {
    FollowedHost followed;
    HostAddresses addresses = read_host_addresses();
    const auto& host = addresses.own;
    followed.node_ip_changed = identity.follow(host, read_host_network);
    if (followed.node_ip_changed)
        log::info(identity.named_by_node() ? "the Node object gives this node its addresses"
                                           : "this host has got the node's addresses",
                  {{"node_ip", print_addresses(identity.node_ip())}});
    followed.sources = sources_of(identity.node_ip(), host);
    followed.facts = identity.facts(host);
    followed.facts.claims.pod_networks = networks.pod_networks;
    followed.facts.claims.service_ranges = networks.service_ranges;
    followed.facts.dns_cache = held_by_dns_cache(addresses.devices);
    followed.facts.own_addresses.insert(followed.facts.dns_cache.begin(), followed.facts.dns_cache.end());
    followed.devices = std::move(addresses.devices);
    followed.concerns_routes =
        followed.facts != before && FactsChange(before, followed.facts).concerns_routes(identity.node_ip());
    if (followed.concerns_routes)
        log::info("addresses, zone or networks of this node have changed");
    if (followed.facts.dns_cache != before.dns_cache)
        log::info(
            followed.facts.dns_cache.empty() ? "NodeLocal DNSCache has left: port 53 of ClusterIPs is podferry's"
                                             : "NodeLocal DNSCache answers on this node: port 53 is left to it",
            {{"cluster_ips", print_addresses({followed.facts.dns_cache.begin(), followed.facts.dns_cache.end()})}});
    return followed;
}

}  // namespace proxy
