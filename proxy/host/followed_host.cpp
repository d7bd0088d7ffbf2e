#include "proxy/host/followed_host.hpp"

#include "proxy/config/setting_values.hpp"
#include "proxy/host/host.hpp"
#include "proxy/log/log.hpp"
#include "proxy/plan/facts_change.hpp"

namespace proxy {

FollowedHost follow_host(NodeIdentity& identity, const NetworkPlan& networks, const NodeFacts& before) {
    const auto host = netlink::host_addresses();
    FollowedHost followed;
    followed.node_ip_changed = identity.follow(host, read_host_network);
    if (followed.node_ip_changed)
        log::info(identity.named_by_node() ? "the Node object gives this node its addresses"
                                           : "this host has got the node's addresses",
                  {{"node_ip", print_addresses(identity.node_ip())}});
    followed.sources = sources_of(identity.node_ip(), host);
    followed.facts = identity.facts(host);
    followed.facts.claims.pod_networks = networks.pod_networks;
    followed.facts.claims.service_ranges = networks.service_ranges;
    followed.concerns_routes =
        followed.facts != before && FactsChange(before, followed.facts).concerns_routes(identity.node_ip());
    if (followed.concerns_routes)
        log::info("addresses, zone or networks of this node have changed");
    return followed;
}

}  // namespace proxy
