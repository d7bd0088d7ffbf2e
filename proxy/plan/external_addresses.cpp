#include "proxy/plan/external_addresses.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "proxy/plan/special_addresses.hpp"
#include "proxy/plan/words.hpp"

namespace proxy {
namespace {

constexpr std::size_t most_told = 8;  // refusals of one Service
/// The default ports of etcd (client, peer), kube-controller-manager and kube-scheduler: beside an API server.
constexpr std::uint16_t control_plane_ports[] = {2379, 2380, 10257, 10259};

std::string_view word(ClaimField field) {
    return field == ClaimField::external_ips ? "spec.externalIPs" : "status.loadBalancer.ingress";
}

const base::Prefix* network_with(const std::vector<base::Prefix>& networks, const Address& address) {
    const auto found = std::find_if(networks.begin(), networks.end(),
                                    [&](const base::Prefix& network) { return contains(network, address); });
    return found == networks.end() ? nullptr : &*found;
}

/// The setting is about externalIPs alone: load balancers' addresses are written by a controller, not by tenants.
bool is_switched_off(ClaimField field, const Address& address, const ExternalIps& setting) {
    return field == ClaimField::external_ips && !setting.all && network_with(setting.networks, address) == nullptr;
}

/// Why nobody may have any port of it: the rest of a sentence that begins with the address.
std::string whole_address(ClaimField field, const Address& address, const Surroundings& around) {
    const ClaimFacts& facts = around.facts;
    if (const std::string kind = special_kind(address, facts.broadcasts); !kind.empty())
        return "is " + kind;
    if (const base::Prefix* network = network_with(facts.pod_networks, address))
        return "is in the pod network " + to_string(*network);
    if (around.book.is_cluster_ip(address))
        return "is a ClusterIP";
    if (const base::Prefix* range = network_with(facts.service_ranges, address))
        return "is in the range of ClusterIPs " + to_string(*range);
    if (is_switched_off(field, address, facts.external_ips))
        return "is not allowed by the setting external_ips";
    return {};
}

/// Ports of API servers that answer at this node's own addresses: they may do so at each of them.
std::set<std::uint16_t> api_ports_here(const Surroundings& around) {
    std::set<std::uint16_t> ports;
    for (const ServerAddress& server : around.book.servers())
        if (around.own_addresses.contains(server.address))
            ports.insert(server.port);
    return ports;
}

class Claims {
public:
    explicit Claims(const Surroundings& around) : around_(around), api_ports_here_(api_ports_here(around)) {}

    void add(const api::Service& service, ClaimField field, const Address& address);
    std::string holder_of(const Address& address, std::uint16_t port, api::Protocol protocol) const;

    std::vector<ExternalAddress> allowed;
    std::vector<std::string> refusals;

private:
    const Surroundings& around_;
    std::set<std::uint16_t> api_ports_here_;
};

/// Who answers at that port and must go on doing so; empty: nobody that is known.
std::string Claims::holder_of(const Address& address, std::uint16_t port, api::Protocol protocol) const {
    if (protocol != api::Protocol::tcp)
        return {};
    const bool own = around_.own_addresses.contains(address);
    const bool beside_api = around_.book.has_api_server(address) || (own && !api_ports_here_.empty());
    if (around_.book.is_api_server({address, port}) || (own && api_ports_here_.contains(port)))
        return "an API server";
    if ((own || beside_api) && around_.facts.own_ports.contains(port))
        return "the kubelet or podferry";
    if (own && around_.book.is_health_port(port))
        return "podferry (a healthCheckNodePort)";
    if (beside_api && std::find(std::begin(control_plane_ports), std::end(control_plane_ports), port) !=
                          std::end(control_plane_ports))
        return "the control plane";
    return {};
}

std::string refused_address(ClaimField field, const Address& address, const std::string& why) {
    return fmt::format("{}: {} {}; it is not served for this Service", word(field), address.to_string(), why);
}

std::string refused_port(ClaimField field, const Address& address, std::uint16_t port, api::Protocol protocol,
                         const std::string& holder) {
    return fmt::format("{}: {} answers at port {}/{} of {}; it is not served for this Service", word(field), holder,
                       port, proxy::word(protocol), address.to_string());
}

void Claims::add(const api::Service& service, ClaimField field, const Address& address) {
    const auto& own = service.cluster_ips;
    const bool is_own = std::find(own.begin(), own.end(), address) != own.end();
    if (const std::string why = is_own ? "is its own ClusterIP" : whole_address(field, address, around_);
        !why.empty()) {
        refusals.push_back(refused_address(field, address, why));
        return;
    }
    ExternalAddress entry{address, field, {}};
    if (around_.own_addresses.contains(address) || around_.book.has_api_server(address))
        for (const api::ServicePort& port : service.ports)
            if (const auto holder = holder_of(address, port.port, port.protocol); !holder.empty()) {
                refusals.push_back(refused_port(field, address, port.port, port.protocol, holder));
                entry.refused.emplace(port.port, port.protocol);
            }
    allowed.push_back(std::move(entry));
}

}  // namespace

std::optional<std::string> why_refused(ClaimField field, const Address& address, std::uint16_t port,
                                       api::Protocol protocol, const Surroundings& around) {
    if (const std::string why = whole_address(field, address, around); !why.empty())
        return refused_address(field, address, why);
    if (const std::string holder = Claims(around).holder_of(address, port, protocol); !holder.empty())
        return refused_port(field, address, port, protocol, holder);
    return std::nullopt;
}

std::vector<ExternalAddress> external_addresses(const api::Service& service, const Surroundings& around,
                                                std::vector<std::string>& problems) {
    if (service.external_ips.empty() && service.ingress.empty())
        return {};
    Claims claims(around);
    for (const Address& address : service.external_ips)
        claims.add(service, ClaimField::external_ips, address);
    for (const api::Ingress& ingress : service.ingress)
        if (ingress.mode == api::IpMode::vip)
            claims.add(service, ClaimField::ingress, ingress.address);
    auto& refusals = claims.refusals;
    const std::size_t told = std::min(refusals.size(), most_told);
    std::move(refusals.begin(), refusals.begin() + static_cast<std::ptrdiff_t>(told), std::back_inserter(problems));
    if (told < refusals.size())
        problems.push_back(fmt::format("spec: {} more external addresses and ports are not served for such reasons",
                                       refusals.size() - told));
    return std::move(claims.allowed);
}

std::vector<ExternalAddress> named_addresses(const api::Service& service) {
    std::vector<ExternalAddress> named;
    for (const Address& address : service.external_ips)
        named.push_back({address, ClaimField::external_ips, {}});
    for (const api::Ingress& ingress : service.ingress)
        if (ingress.mode == api::IpMode::vip)
            named.push_back({ingress.address, ClaimField::ingress, {}});
    return named;
}

std::set<Address> claimed_addresses(const api::Service& service) {
    std::set<Address> claimed(service.external_ips.begin(), service.external_ips.end());
    for (const api::Ingress& ingress : service.ingress)
        claimed.insert(ingress.address);
    return claimed;
}

}  // namespace proxy
