#include "proxy/engine/health_ports.hpp"

#include <algorithm>
#include <utility>

#include "proxy/plan/health_check_port.hpp"

namespace proxy {
namespace {

/// Whether the Service has virtual servers of the address's family.
bool is_served(const api::Service& service, const api::Address& address) {
    return std::any_of(service.cluster_ips.begin(), service.cluster_ips.end(),
                       [&](const api::Address& ip) { return ip.is_v6() == address.is_v6(); });
}

}  // namespace

std::map<netlink::RealServer, bool> carried(const api::ObjectName& service, const std::set<netlink::RealServer>& asked,
                                            const Desired& desired, const Mirror& kernel) {
    std::map<netlink::RealServer, bool> reached;
    std::size_t carried = 0;
    for (const netlink::VirtualServer& server : desired.servers_of(service)) {
        if (carried == asked.size())
            break;
        for (const auto& [real, weight] : desired.find(server)->real_servers) {
            if (weight == 0 || !asked.contains(real))
                continue;
            bool& carries = reached[real];
            if (carries || kernel.weight(server, real).value_or(0) <= 0)
                continue;
            carries = true;
            ++carried;
        }
    }
    return reached;
}

void HealthPorts::put(const api::Service& service, const std::vector<api::PortEndpoints>& endpoints,
                      const Desired& desired, const Mirror& kernel) {
    const std::uint16_t port = health_check_port(service);
    const auto former = claims_.find(service.name);
    if (former != claims_.end() && former->second.port != port)
        remove(service.name);
    if (port == 0)
        return;
    const auto [entry, added] = claims_.try_emplace(service.name, Claim{port, {}, 0});
    if (added) {
        claimants_[port].push_back(service.name);
        touched_.insert(port);
    }
    Claim& claim = entry->second;
    claim.candidates.clear();
    for (const api::PortEndpoints& group : endpoints)
        for (const api::ResolvedEndpoint& endpoint : group.endpoints)
            if (endpoint.local && !endpoint.terminating && (endpoint.ready || endpoint.unknown) &&
                is_served(service, endpoint.address))
                claim.candidates.push_back({{endpoint.address, endpoint.port}, !endpoint.ready});
    claim.count = count(service.name, claim, desired, kernel);
    unsettled_.insert(service.name);
}

void HealthPorts::remove(const api::ObjectName& service) {
    const auto found = claims_.find(service);
    if (found == claims_.end())
        return;
    const std::uint16_t port = found->second.port;
    std::vector<api::ObjectName>& claimants = claimants_[port];
    std::erase(claimants, service);
    if (claimants.empty())
        claimants_.erase(port);
    touched_.insert(port);
    unsettled_.erase(service);
    claims_.erase(found);
}

bool HealthPorts::settle(const Desired& desired, const Mirror& kernel, bool all, std::size_t most) {
    if (all)
        for (const auto& [service, claim] : claims_)
            unsettled_.insert(unsettled_.end(), service);
    for (; most > 0 && !unsettled_.empty(); --most) {
        const auto place = claims_.find(*unsettled_.begin());
        unsettled_.erase(unsettled_.begin());
        place->second.count = count(place->first, place->second, desired, kernel);
    }
    return !unsettled_.empty();
}

std::size_t HealthPorts::count(const api::ObjectName& service, const Claim& claim, const Desired& desired,
                               const Mirror& kernel) {
    if (claim.candidates.empty())
        return 0;
    std::set<base::Address> addresses[2];
    std::set<netlink::RealServer> asked;
    for (const Candidate& candidate : claim.candidates)
        asked.insert(candidate.real);
    const auto reached = carried(service, asked, desired, kernel);
    for (const Candidate& candidate : claim.candidates) {
        const auto found = reached.find(candidate.real);
        if (found == reached.end() ? !candidate.unknown : found->second)
            addresses[candidate.real.address.is_v6() ? 1 : 0].insert(candidate.real.address);
    }
    return std::max(addresses[0].size(), addresses[1].size());
}

std::optional<HealthPort> HealthPorts::find(std::uint16_t port) const {
    const auto found = claimants_.find(port);
    if (found == claimants_.end())
        return std::nullopt;
    const api::ObjectName& owner = found->second.front();
    return HealthPort{owner, claims_.at(owner).count};
}

std::set<std::uint16_t> HealthPorts::exchange_touched() {
    return std::exchange(touched_, {});
}

std::vector<HealthPortConflict> HealthPorts::conflicts() const {
    std::vector<HealthPortConflict> all;
    for (const auto& [port, claimants] : claimants_)
        for (std::size_t i = 1; i < claimants.size(); ++i)
            all.push_back({claimants[i], port, claimants.front()});
    return all;
}

}  // namespace proxy
