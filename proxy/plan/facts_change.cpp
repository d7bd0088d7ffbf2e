#include "proxy/plan/facts_change.hpp"

#include <algorithm>
#include <iterator>

#include "base/prefix.hpp"

namespace proxy {
namespace {

/// Whether something else than addresses differs.
bool differ_elsewhere(NodeFacts before, const NodeFacts& now) {
    before.node_port_addresses = now.node_port_addresses;
    before.own_addresses = now.own_addresses;
    before.claims.broadcasts = now.claims.broadcasts;
    return before != now;
}

bool names(const api::Service& service, const Address& address) {
    return std::find(service.external_ips.begin(), service.external_ips.end(), address) != service.external_ips.end() ||
           std::any_of(service.ingress.begin(), service.ingress.end(),
                       [&](const api::Ingress& ingress) { return ingress.address == address; });
}

bool lets_in(const api::Service& service, const Address& address) {
    return std::any_of(service.source_ranges.begin(), service.source_ranges.end(),
                       [&](const base::Prefix& range) { return contains(range, address); });
}

}  // namespace

FactsChange::FactsChange(const NodeFacts& before, const NodeFacts& now)
    : everything_(differ_elsewhere(before, now)), node_ports_(before.node_port_addresses != now.node_port_addresses) {
    std::set_symmetric_difference(before.own_addresses.begin(), before.own_addresses.end(), now.own_addresses.begin(),
                                  now.own_addresses.end(), std::back_inserter(own_));
    const auto& old_broadcasts = before.claims.broadcasts;
    const auto& broadcasts = now.claims.broadcasts;
    std::set_symmetric_difference(old_broadcasts.begin(), old_broadcasts.end(), broadcasts.begin(), broadcasts.end(),
                                  std::back_inserter(own_));
}

bool FactsChange::concerns_routes(const std::vector<Address>& sources) const {
    return everything_ || std::any_of(sources.begin(), sources.end(), [&](const Address& source) {
               return std::find(own_.begin(), own_.end(), source) != own_.end();
           });
}

bool FactsChange::affects(const api::Service& service) const {
    if (everything_)
        return true;
    const auto has_node_port = [](const api::ServicePort& port) { return port.node_port != 0; };
    if (node_ports_ && std::any_of(service.ports.begin(), service.ports.end(), has_node_port))
        return true;
    return std::any_of(own_.begin(), own_.end(),
                       [&](const Address& address) { return names(service, address) || lets_in(service, address); });
}

}  // namespace proxy
