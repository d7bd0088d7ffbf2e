#include "proxy/sync/stale_flows.hpp"

#include <algorithm>
#include <iterator>

#include "base/overloaded.hpp"

namespace proxy {
namespace {

using netlink::Change;
using netlink::RealServer;
using netlink::VirtualServer;

/// Connections with a mark are of any protocol: whose they are is only known of the Service.
bool carries_udp(const VirtualServer& server) {
    return server.protocol == netlink::Protocol::udp || server.mark != 0;
}

/// A single real server of it has a weight.
bool has_one(const VirtualServer& server, const netlink::KernelState& mirror) {
    const auto found = mirror.virtual_servers.find(server);
    if (found == mirror.virtual_servers.end())
        return false;
    const auto has_weight = [](const auto& real) { return real.second > 0; };
    const netlink::RealServers& reals = found->second.real_servers;
    const auto first = std::find_if(reals.begin(), reals.end(), has_weight);
    return first != reals.end() && std::none_of(std::next(first), reals.end(), has_weight);
}

}  // namespace

bool may_leave_stale_flows(const Change& change, const netlink::KernelState& mirror) {
    using namespace netlink;
    return std::visit(
        base::overloaded{[](const AddVirtualServer& added) { return carries_udp(added.server); },
                         [](const DeleteRealServer& deleted) { return carries_udp(deleted.server); },
                         [&](const EditRealServer& edited) {
                             return carries_udp(edited.server) &&
                                    (edited.weight == 0 || has_one(edited.server, mirror));
                         },
                         // Clients that came before the first one have entries that lead nowhere.
                         [&](const AddRealServer& first) {
                             return carries_udp(first.server) && first.weight > 0 && has_one(first.server, mirror);
                         },
                         [](const EditVirtualServer&) { return false; },
                         [](const DeleteVirtualServer&) { return false; }, [](const AddRoute&) { return false; },
                         [](const DeleteRoute&) { return false; }, [](const AddElement&) { return false; },
                         [](const DeleteElement&) { return false; }, [](const WithdrawElement&) { return false; }},
        change);
}

UdpFrontEnds::UdpFrontEnds(const Desired& desired, const std::set<VirtualServer>& changed) {
    std::set<api::ObjectName> services;
    for (const VirtualServer& server : changed)
        if (const api::ObjectName* owner = desired.owner(server))
            services.insert(*owner);
    for (const api::ObjectName& service : services)
        add(desired.servers_of(service), desired);
}

void UdpFrontEnds::add(const std::vector<VirtualServer>& servers, const Desired& desired) {
    std::set<RealServer> serving;
    bool is_served[] = {false, false};  // IPv4, IPv6
    for (const VirtualServer& server : servers)
        if (carries_udp(server))
            for (const auto& [real, weight] : desired.find(server)->real_servers)
                if (weight > 0) {
                    serving.insert(real);
                    is_served[real.address.is_v6() ? 1 : 0] = true;
                }
    for (const VirtualServer& server : servers) {
        const bool ipv6 = server.address.is_v6();
        if (server.protocol != netlink::Protocol::udp || !is_served[ipv6 ? 1 : 0])
            continue;
        servers_.emplace(server, serving_.size());
        (ipv6 ? has_ipv6_ : has_ipv4_) = true;
    }
    serving_.push_back(std::move(serving));
}

bool UdpFrontEnds::is_stale(const netlink::Flow& flow) const {
    const auto found = servers_.find(flow.to);
    return found != servers_.end() && !serving_[found->second].contains(flow.answerer);
}

bool may_have_early_clients(const VirtualServer& server) {
    return server.protocol == netlink::Protocol::tcp || server.protocol == netlink::Protocol::sctp;
}

EarlyClients::EarlyClients(std::vector<VirtualServer> servers) : servers_(std::move(servers)) {
    std::sort(servers_.begin(), servers_.end());
    for (const VirtualServer& server : servers_)
        kinds_.emplace(server.protocol, server.address.is_v6());
}

bool EarlyClients::is_stale(const netlink::Flow& flow) const {
    return !flow.answered && flow.answerer == RealServer{flow.to.address, flow.to.port} &&
           std::binary_search(servers_.begin(), servers_.end(), flow.to);
}

std::vector<netlink::Flow> not_carried(
    std::span<const netlink::Flow> flows,
    const std::function<void(const std::function<void(const netlink::ipvs::Connection&)>&)>& each_connection) {
    if (flows.empty())
        return {};
    std::map<netlink::ipvs::Connection, const netlink::Flow*> left;
    for (const netlink::Flow& flow : flows)
        left.emplace(netlink::ipvs::Connection{flow.client, flow.to}, &flow);
    each_connection([&](const netlink::ipvs::Connection& carried) { left.erase(carried); });
    std::vector<netlink::Flow> found;
    for (const auto& [connection, flow] : left)
        found.push_back(*flow);
    return found;
}

}  // namespace proxy
