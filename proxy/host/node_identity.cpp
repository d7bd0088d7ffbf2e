#include "proxy/host/node_identity.hpp"

#include <utility>

#include "proxy/host/host.hpp"

namespace proxy {

/// A Node that is deleted is about to go, whatever it said before. It leaves addresses and zone as they were.
NodeIdentity::NodeNews NodeIdentity::note_node(const api::Node* node) {
    NodeNews news;
    if (node != nullptr && node->zone != zone_) {
        zone_ = node->zone;
        news.follow = true;
    }
    if (!options_.of_cluster)
        return news;
    const bool leaving = node != nullptr ? node->leaving : node_seen_;
    news.leaving_changed = std::exchange(leaving_, leaving) != leaving;
    node_seen_ = node_seen_ || node != nullptr;
    if (node != nullptr && node->addresses != node_addresses_) {
        node_addresses_ = node->addresses;
        news.follow = true;
    }
    return news;
}

bool NodeIdentity::follow(const std::vector<netlink::HostAddress>& host,
                          const std::function<HostNetwork()>& read_network) {
    auto chosen = node_ips_of({options_.node_ip_given, node_ip_, node_addresses_}, host);
    if (!options_.node_ip_given && node_addresses_.empty() && !node_port_problems(config_, chosen).empty())
        chosen = with_missing_families(std::move(chosen), read_network());  // they may have come since
    return std::exchange(node_ip_, chosen) != chosen;
}

NodeFacts NodeIdentity::facts(const std::vector<netlink::HostAddress>& host) const {
    NodeFacts facts = facts_of(config_, node_ip_, host);
    facts.place.zone = zone_;
    return facts;
}

}  // namespace proxy
