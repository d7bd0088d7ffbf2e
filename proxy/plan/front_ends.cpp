#include "proxy/plan/front_ends.hpp"

#include "proxy/plan/plan.hpp"
#include "proxy/plan/source_ranges.hpp"

namespace proxy {
namespace {

constexpr std::uint64_t cost_of_sources = 4;  // of an element, in real servers

/// Takes the wishes of one kind after the other, address by address.
class Lister {
public:
    Lister(const api::Service& service, const NodeFacts& node, std::size_t most, FrontEndWishes& wishes)
        : most_(most), wishes_(wishes) {
        for (const Address& address : service.cluster_ips)
            if (!address.is_v6() || node.has_ipv6)
                served_[address.is_v6() ? 1 : 0] = true;
        for (std::size_t i = 0; i < service.ports.size(); ++i) {
            ports_.push_back(i);
            if (service.ports[i].node_port != 0)
                with_node_port_.push_back(i);
        }
    }

    void add(FrontEndKind kind, const Address& address) {
        if (!served_[address.is_v6() ? 1 : 0])
            return;
        const std::vector<std::size_t>& ports = kind == FrontEndKind::node_port ? with_node_port_ : ports_;
        wishes_.all += ports.size();
        for (const std::size_t port : ports) {
            if (wishes_.first.size() == most_)
                return;
            wishes_.first.push_back({kind, &address, port});
        }
    }

private:
    std::size_t most_;
    FrontEndWishes& wishes_;
    bool served_[2] = {false, false};  // families: those with a ClusterIP
    std::vector<std::size_t> ports_;
    std::vector<std::size_t> with_node_port_;
};

}  // namespace

FrontEndWishes front_ends_of(const api::Service& service, const NodeFacts& node, std::size_t most) {
    FrontEndWishes wishes;
    if (service.headless || service.type == api::ServiceType::external_name)
        return wishes;
    Lister lister(service, node, most, wishes);
    for (const Address& address : service.cluster_ips)
        lister.add(FrontEndKind::cluster_ip, address);
    for (const Address& address : node.node_port_addresses)
        lister.add(FrontEndKind::node_port, address);
    for (const api::Ingress& ingress : service.ingress)
        if (ingress.mode == api::IpMode::vip)
            lister.add(FrontEndKind::load_balancer, ingress.address);
    for (const Address& address : service.external_ips)
        lister.add(FrontEndKind::external_ip, address);
    return wishes;
}

Multiplied::Multiplied(const api::Service& service, const std::vector<api::PortEndpoints>& endpoints) {
    for (auto& by_port : endpoints_)
        by_port.resize(service.ports.size());
    for (const api::PortEndpoints& group : endpoints)
        for (const api::ResolvedEndpoint& endpoint : group.endpoints)
            ++endpoints_[endpoint.address.is_v6() ? 1 : 0][group.port_index];
    if (!service.ingress.empty() && !service.source_ranges.empty())
        for (const bool ipv6 : {false, true})
            sources_[ipv6 ? 1 : 0] = AllowedSources(service.source_ranges, ipv6, {}).networks().size();
}

std::uint64_t Multiplied::real_servers(const FrontEndWish& wish) const {
    const std::size_t family = wish.address->is_v6() ? 1 : 0;
    const std::uint64_t sources = wish.kind == FrontEndKind::load_balancer ? sources_[family] : 0;
    return endpoints_[family][wish.port_index] + cost_of_sources * sources;
}

Fitting fitting(std::span<const FrontEndWish> wishes, const Multiplied& multiplied, std::size_t known_ports,
                const Cost& room) {
    Fitting result;
    for (const FrontEndWish& wish : wishes) {
        const std::uint64_t real_servers = result.cost.real_servers + multiplied.real_servers(wish);
        if (result.count == room.front_ends || wish.port_index >= known_ports || real_servers > room.real_servers)
            break;
        ++result.count;
        result.cost = {result.count, real_servers};
    }
    return result;
}

}  // namespace proxy
