#include "netlink/rule_clients.hpp"

namespace netlink {

using nft::Statement;

std::vector<base::Prefix> of_family(const nft::IpFamily& family, const std::vector<base::Prefix>& networks) {
    std::vector<base::Prefix> found;
    for (const base::Prefix& network : networks)
        if (network.address.bits() == family.bits)
            found.push_back(network);
    return found;
}

bool knows_pods(const nft::IpFamily& family, const RulesetParameters& parameters) {
    return !parameters.pod_interface.empty() || !of_family(family, parameters.pod_networks).empty();
}

/// IPVS sends a packet on with the device that it came by, and so postrouting still knows it (ip_output in
/// net/ipv4/ip_output.c, ip6_output; since Linux 5.7).
std::vector<Statement> from_pods(const nft::IpFamily& family, const RulesetParameters& parameters) {
    if (!parameters.pod_interface.empty())
        return {nft::came_by(parameters.pod_interface)};
    return {nft::is_in_networks(nft::saddr(family), of_family(family, parameters.pod_networks))};
}

std::vector<Statement> from_outsiders(const nft::IpFamily& family, const RulesetParameters& parameters) {
    std::vector<Statement> all;
    if (!parameters.pod_interface.empty())
        all.push_back(nft::did_not_come_by(parameters.pod_interface));
    else if (const auto networks = of_family(family, parameters.pod_networks); !networks.empty())
        all.push_back(nft::is_not_in_networks(nft::saddr(family), networks));
    all.push_back(nft::source_is_not_local());
    return all;
}

}  // namespace netlink
