#include "proxy/engine/desired.hpp"

#include <algorithm>
#include <utility>

#include "proxy/engine/sort_unique.hpp"

namespace proxy {

using netlink::Element;
using netlink::VirtualServer;

void Desired::replace(const api::ObjectName& service, ServicePlan plan, const Age& age) {
    const auto former = keys_.find(service);
    Keys old = former == keys_.end() ? Keys{} : std::move(former->second);
    Keys keys;
    bool has_all = true;
    keys.servers.reserve(plan.virtual_servers.size());
    for (auto& [server, state, kind] : plan.virtual_servers) {
        keys.servers.push_back(server);
        has_all = claim(server, std::move(state), service, {kind, age}) && has_all;
    }
    sort_unique(keys.servers);
    if (!has_all)
        leave_out_lost(keys.servers,
                       {[&](const VirtualServer& server) { return claims_.has(service, server); },
                        [this](const base::Address& address) {
                            return wishes_.wants({netlink::Set::node_address, address, netlink::Protocol::none, 0});
                        }},
                       plan.elements);
    sort_unique(plan.routes);
    sort_unique(plan.elements);
    keys.routes = std::move(plan.routes);
    keys.elements = std::move(plan.elements);
    // First use, then release: what both plans want never falls to zero users in between.
    wishes_.use(keys.routes, keys.elements);
    std::erase_if(old.servers, [&](const VirtualServer& server) {
        return std::binary_search(keys.servers.begin(), keys.servers.end(), server);
    });
    let_go(service, old);
    keys_[service] = std::move(keys);
}

void Desired::remove(const api::ObjectName& service) {
    const auto found = keys_.find(service);
    if (found == keys_.end())
        return;
    let_go(service, found->second);
    keys_.erase(found);
}

/// True when the service has it from now on.
bool Desired::claim(const VirtualServer& server, netlink::VirtualServerState state, const api::ObjectName& service,
                    const Claim& claim) {
    switch (claims_.claim(server, service, claim)) {
        case Claims::Outcome::has:
            wishes_.put(server, std::move(state));
            return true;
        case Claims::Outcome::vacated:
            wishes_.drop(server);
            break;
        case Claims::Outcome::waits:
            break;
    }
    return false;
}

void Desired::let_go(const api::ObjectName& service, const Keys& keys) {
    for (const VirtualServer& server : keys.servers)
        if (claims_.withdraw(server, service))
            wishes_.drop(server);
    wishes_.release(keys.routes, keys.elements);
}

std::vector<VirtualServer> Desired::servers_of(const api::ObjectName& service) const {
    const auto found = keys_.find(service);
    if (found == keys_.end())
        return {};
    std::vector<VirtualServer> servers = found->second.servers;
    if (claims_.any_contested())
        std::erase_if(servers, [&](const VirtualServer& server) { return !claims_.has(service, server); });
    return servers;
}

void leave_out_lost(const std::vector<VirtualServer>& wanted, const FrontEndLookUp& look_up,
                    std::vector<netlink::Element>& elements) {
    const auto is_lost = [&](const VirtualServer& server) {
        return std::binary_search(wanted.begin(), wanted.end(), server) && !look_up.has(server);
    };
    // Protocols and ports at the node's addresses, and whether one of them is left.
    std::map<std::pair<netlink::Protocol, std::uint16_t>, bool> node_ports;
    if (std::any_of(elements.begin(), elements.end(), [](const Element& element) { return !has_address(element.set); }))
        for (const VirtualServer& server : wanted)
            if (server.mark == 0 && look_up.is_node_address(server.address)) {
                bool& left = node_ports[{server.protocol, server.port}];
                left = left || look_up.has(server);
            }
    std::erase_if(elements, [&](const Element& element) {
        if (!has_port(element.set))
            return false;
        if (has_address(element.set))
            return is_lost({element.address, element.protocol, element.port});
        const auto found = node_ports.find({element.protocol, element.port});
        return found != node_ports.end() && !found->second;
    });
}

}  // namespace proxy
