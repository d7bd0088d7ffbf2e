#include "proxy/plan/front_ends.hpp"

#include <numeric>

#include "proxy/plan/plan.hpp"
#include "proxy/plan/words.hpp"

namespace proxy {
namespace {

constexpr std::uint64_t cost_of_sources = 4;  // of an element, in real servers
constexpr std::uint16_t dns_port = 53;        // NodeLocal DNSCache has no other one on a ClusterIP

/// Takes the wishes of one kind after the other, address by address.
class Lister {
public:
    Lister(const api::Service& service, const NodeFacts& node, std::size_t most, Asked asked, FrontEndWishes& wishes)
        : service_(service), most_(most), asked_(asked), wishes_(wishes) {
        for (const Address& address : service.cluster_ips)
            if (!address.is_v6() || node.has_ipv6 || asked == Asked::all)
                served_[address.is_v6() ? 1 : 0] = true;
        if (service.cluster_ips.empty()) {  // an edge's: it has external addresses alone
            served_[0] = true;
            served_[1] = node.has_ipv6 || asked == Asked::all;
        }
        for (std::size_t i = 0; i < service.ports.size(); ++i) {
            ports_.push_back(i);
            if (service.ports[i].node_port != 0)
                with_node_port_.push_back(i);
            if (service.ports[i].port != dns_port)
                beside_dns_cache_.push_back(i);
        }
    }

    void add_cluster_ip(const Address& address, bool of_dns_cache) {
        if (served_[address.is_v6() ? 1 : 0])
            add(FrontEndKind::cluster_ip, address, of_dns_cache ? beside_dns_cache_ : ports_);
    }

    void add(FrontEndKind kind, const Address& address) {
        if (served_[address.is_v6() ? 1 : 0])
            add(kind, address, kind == FrontEndKind::node_port ? with_node_port_ : ports_);
    }

    void add(FrontEndKind kind, const ExternalAddress& external) {
        if (!served_[external.address.is_v6() ? 1 : 0] && asked_ != Asked::all)
            return;
        if (external.refused.empty()) {
            add(kind, external.address, ports_);
            return;
        }
        std::vector<std::size_t> taken = ports_;
        std::erase_if(taken, [&](std::size_t port) { return !external.takes(service_.ports[port]); });
        add(kind, external.address, taken);
    }

private:
    void add(FrontEndKind kind, const Address& address, const std::vector<std::size_t>& ports) {
        wishes_.all += ports.size();
        for (const std::size_t port : ports) {
            if (wishes_.first.size() == most_)
                return;
            wishes_.first.push_back({kind, &address, port});
        }
    }

    const api::Service& service_;
    std::size_t most_;
    Asked asked_;
    FrontEndWishes& wishes_;
    bool served_[2] = {false, false};  // families
    std::vector<std::size_t> ports_;
    std::vector<std::size_t> with_node_port_;
    std::vector<std::size_t> beside_dns_cache_;
};

}  // namespace

FrontEndWishes front_ends_of(const api::Service& service, const std::vector<ExternalAddress>& external,
                             const NodeFacts& node, std::size_t most, Asked asked) {
    FrontEndWishes wishes;
    if (service.headless || service.type == api::ServiceType::external_name)
        return wishes;
    Lister lister(service, node, most, asked, wishes);
    for (const Address& address : service.cluster_ips)
        lister.add_cluster_ip(address, node.dns_cache.contains(address));
    for (const Address& address : node.node_port_addresses)
        lister.add(FrontEndKind::node_port, address);
    for (const ExternalAddress& one : external)
        if (one.field == ClaimField::ingress)
            lister.add(FrontEndKind::load_balancer, one);
    for (const ExternalAddress& one : external)
        if (one.field == ClaimField::external_ips)
            lister.add(FrontEndKind::external_ip, one);
    return wishes;
}

std::vector<FrontEndWish> by_port(std::span<const FrontEndWish> wishes, const api::Service& service) {
    const bool ipv6_first = !service.cluster_ips.empty() && service.cluster_ips.front().is_v6();
    // Few values, so by counting: a place for each family and port.
    const auto place = [&](const FrontEndWish& wish) {
        return (wish.address->is_v6() != ipv6_first ? service.ports.size() : 0) + wish.port_index;
    };
    std::vector<std::size_t> starts(2 * service.ports.size() + 1, 0);
    for (const FrontEndWish& wish : wishes)
        ++starts[place(wish) + 1];
    std::partial_sum(starts.begin(), starts.end(), starts.begin());
    std::vector<FrontEndWish> sorted(wishes.size());
    for (const FrontEndWish& wish : wishes)
        sorted[starts[place(wish)]++] = wish;
    return sorted;
}

netlink::VirtualServer server_of(const FrontEndWish& wish, const api::Service& service) {
    const api::ServicePort& port = service.ports[wish.port_index];
    return {*wish.address, kernel_protocol(port.protocol),
            wish.kind == FrontEndKind::node_port ? port.node_port : port.port};
}

SourcesByFamily sources_of(const api::Service& service, const std::set<Address>& own_addresses) {
    return {AllowedSources(service.source_ranges, false, own_addresses),
            AllowedSources(service.source_ranges, true, own_addresses)};
}

Multiplied::Multiplied(const api::Service& service, const std::vector<api::PortEndpoints>& endpoints,
                       const SourcesByFamily& sources)
    : sources_{sources[0].networks().size(), sources[1].networks().size()} {
    for (auto& by_port : endpoints_)
        by_port.resize(service.ports.size());
    for (const api::PortEndpoints& group : endpoints)
        for (const api::ResolvedEndpoint& endpoint : group.endpoints)
            ++endpoints_[endpoint.address.is_v6() ? 1 : 0][group.port_index];
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
