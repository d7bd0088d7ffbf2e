#include "proxy/plan/allocate.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.hpp"
#include "proxy/plan/health_check_port.hpp"
#include "proxy/plan/words.hpp"

namespace proxy {
namespace {

/// Size of the lower band (KEP-3070, KEP-3668): min(max(16, size / divisor), cap); none in a tiny range.
std::uint64_t lower_band(std::uint64_t size, std::uint64_t divisor, std::uint64_t cap) {
    if (size <= 16)
        return 0;
    return std::min(std::max<std::uint64_t>(16, size / divisor), cap);
}

/// Visits the offsets of a range in the order of preference: the upper band from a start that depends on `seed`,
/// then the lower band. Ends when `accept` says yes.
template <class Accept>
bool search(std::uint64_t size, std::uint64_t band, std::uint64_t seed, Accept accept) {
    const std::uint64_t upper = size - band;
    for (std::uint64_t i = 0; i < upper; ++i)
        if (accept(band + (seed + i) % upper))
            return true;
    for (std::uint64_t offset = 0; offset < band; ++offset)
        if (accept(offset))
            return true;
    return false;
}

/// Neither the network's own address, nor IPv4's broadcast address: as the API server.
std::uint64_t usable_size(const base::Prefix& range) {
    const std::uint64_t all = size_of(range);
    return all <= 2 ? 0 : all - (range.address.is_v4() ? 2 : 1);
}

bool is_usable(const base::Prefix& range, const Address& address) {
    return contains(range, address) && address != range.address &&
           (address.is_v6() || address != base::address_at(range, size_of(range) - 1));
}

std::string port_name(const api::ServicePort& port) {
    return fmt::format("{}/{}", port.port, word(port.protocol));
}

bool wants_node_ports(const api::Service& service) {
    return service.type == api::ServiceType::node_port ||
           (service.type == api::ServiceType::load_balancer && service.allocate_node_ports);
}

bool is_health_port(const api::Service& service, std::uint16_t port, api::Protocol protocol) {
    return protocol == api::Protocol::tcp && port != 0 && port == health_check_port(service);
}

}  // namespace

Allocator::Allocator(std::vector<base::Prefix> service_ranges, PortRange node_ports, Choices remembered)
    : ranges_(std::move(service_ranges)), node_ports_(node_ports), choices_(std::move(remembered)) {}

tl::expected<api::Service, std::string> Allocator::allocate(const api::Service& service) {
    api::Service filled = service;
    const auto remembered = choices_.find(service.name);
    Choice choice = remembered == choices_.end() ? Choice{} : remembered->second;
    if (std::string wrong = fill_cluster_ips(filled, choice); !wrong.empty())
        return tl::unexpected(wrong);
    if (std::string wrong = check_health_port(filled); !wrong.empty())
        return tl::unexpected(wrong);
    if (std::string wrong = fill_node_ports(filled, choice); !wrong.empty())
        return tl::unexpected(wrong);
    drop(service.name);
    hold(filled);
    if (choice == Choice{})
        choices_.erase(service.name);
    else
        choices_[service.name] = std::move(choice);
    return filled;
}

void Allocator::release(const api::ObjectName& name) {
    drop(name);
    choices_.erase(name);
}

std::vector<RangeUse> Allocator::use() const {
    std::vector<RangeUse> result;
    for (const base::Prefix& range : ranges_) {
        RangeUse use{to_string(range), usable_size(range), 0};
        for (const auto& [address, owner] : addresses_)
            use.used += is_usable(range, address) ? 1 : 0;
        result.push_back(use);
    }
    result.push_back({fmt::format("{}-{}", node_ports_.first, node_ports_.last),
                      std::uint64_t{node_ports_.last} - node_ports_.first + 1, 0});
    std::set<std::uint16_t> numbers;
    for (const auto& [port, owner] : ports_)
        numbers.insert(port.first);
    result.back().used = numbers.size();
    return result;
}

std::string Allocator::check_explicit_address(const api::Service& service, const Address& address) const {
    const base::Prefix* range = range_of(api::family_of(address));
    if (range == nullptr)
        return fmt::format("spec.clusterIPs: {} is {}, and service_cluster_ip_range has no range of that family",
                           address.to_string(), address.is_v6() ? "IPv6" : "IPv4");
    if (!is_usable(*range, address))
        return fmt::format(
            "spec.clusterIPs: {} is not in service_cluster_ip_range {}; choose one inside, or leave it out",
            address.to_string(), to_string(*range));
    if (!free_for(service.name, address))
        return fmt::format("spec.clusterIPs: {} is already the ClusterIP of Service {}; choose another",
                           address.to_string(), api::to_string(addresses_.at(address)));
    return "";
}

std::string Allocator::fill_cluster_ips(api::Service& service, Choice& choice) {
    if (service.headless || service.type == api::ServiceType::external_name) {
        choice.cluster_ips.clear();
        return "";
    }
    for (const Address& address : service.cluster_ips)
        if (std::string wrong = check_explicit_address(service, address); !wrong.empty())
            return wrong;
    auto families = wanted_families(service, ranges_);
    if (!families)
        return families.error();
    std::vector<Address> automatic;
    for (const api::Family family : *families) {
        const auto given = std::find_if(service.cluster_ips.begin(), service.cluster_ips.end(),
                                        [&](const Address& a) { return api::family_of(a) == family; });
        if (given != service.cluster_ips.end())
            continue;
        const base::Prefix& range = *range_of(family);
        const auto kept = std::find_if(choice.cluster_ips.begin(), choice.cluster_ips.end(), [&](const Address& a) {
            return is_usable(range, a) && free_for(service.name, a);
        });
        const auto address = kept != choice.cluster_ips.end() ? tl::expected<Address, std::string>(*kept)
                                                              : pick_address(service.name, range);
        if (!address)
            return "spec.clusterIP: " + address.error();
        automatic.push_back(*address);
        service.cluster_ips.push_back(*address);
    }
    service.families = *families;
    choice.cluster_ips = automatic;
    return "";
}

/// It is a node port like others, of TCP; but never chosen here: without a load balancer nobody would ask it.
std::string Allocator::check_health_port(const api::Service& service) const {
    const std::uint16_t port = health_check_port(service);
    if (port == 0)
        return "";
    if (port < node_ports_.first || port > node_ports_.last)
        return fmt::format(
            "spec.healthCheckNodePort: {} is not in service_node_port_range {}-{}; choose one inside, or leave it out",
            port, node_ports_.first, node_ports_.last);
    const PortKey key{port, api::Protocol::tcp};
    if (!free_for(service.name, key))
        return fmt::format("spec.healthCheckNodePort: {} is already in use by Service {}; choose another", port,
                           api::to_string(ports_.at(key)));
    for (std::size_t index = 0; index < service.ports.size(); ++index)
        if (is_health_port(service, service.ports[index].node_port, service.ports[index].protocol))
            return fmt::format("spec.healthCheckNodePort: {} is spec.ports[{}].nodePort too; choose another", port,
                               index);
    return "";
}

std::string Allocator::fill_node_ports(api::Service& service, Choice& choice) {
    std::map<std::string, std::uint16_t> automatic;
    std::size_t index = 0;
    for (api::ServicePort& port : service.ports) {
        const std::string field = fmt::format("spec.ports[{}].nodePort", index++);
        if (port.node_port != 0) {
            if (port.node_port < node_ports_.first || port.node_port > node_ports_.last)
                return fmt::format("{}: {} is not in service_node_port_range {}-{}; choose one inside, or leave it out",
                                   field, port.node_port, node_ports_.first, node_ports_.last);
            const PortKey key{port.node_port, port.protocol};
            if (!free_for(service.name, key))
                return fmt::format("{}: {}/{} is already the node port of Service {}; choose another", field,
                                   port.node_port, word(port.protocol), api::to_string(ports_.at(key)));
        }
    }
    if (wants_node_ports(service))
        for (api::ServicePort& port : service.ports) {
            if (port.node_port != 0)
                continue;
            const auto kept = choice.node_ports.find(port_name(port));
            if (kept != choice.node_ports.end() && !is_health_port(service, kept->second, port.protocol) &&
                free_for(service.name, PortKey{kept->second, port.protocol}) && kept->second >= node_ports_.first &&
                kept->second <= node_ports_.last) {
                port.node_port = kept->second;
            } else {
                const auto picked = pick_port(service.name, port.protocol, service);
                if (!picked)
                    return fmt::format("spec.ports: port {}: {}", port_name(port), picked.error());
                port.node_port = *picked;
            }
            automatic[port_name(port)] = port.node_port;
        }
    choice.node_ports = std::move(automatic);
    return "";
}

const base::Prefix* Allocator::range_of(api::Family family) const {
    for (const base::Prefix& range : ranges_)
        if (api::family_of(range.address) == family)
            return &range;
    return nullptr;
}

tl::expected<Address, std::string> Allocator::pick_address(const api::ObjectName& owner,
                                                           const base::Prefix& range) const {
    const std::uint64_t size = usable_size(range);
    Address chosen;
    const bool found = size > 0 && search(size, lower_band(size, 16, 256), base::fnv1a_64(api::to_string(owner)),
                                          [&](std::uint64_t offset) {
                                              chosen = base::address_at(range, offset + 1);
                                              return free_for(owner, chosen);
                                          });
    if (!found)
        return tl::unexpected(fmt::format(
            "service_cluster_ip_range {} is full ({} of {} addresses in use); enlarge it or delete Services",
            to_string(range), size, size));
    return chosen;
}

tl::expected<std::uint16_t, std::string> Allocator::pick_port(const api::ObjectName& owner, api::Protocol protocol,
                                                              const api::Service& service) const {
    const std::uint64_t size = std::uint64_t{node_ports_.last} - node_ports_.first + 1;
    std::uint16_t chosen = 0;
    const bool found =
        search(size, lower_band(size, 32, 128), base::fnv1a_64(api::to_string(owner)), [&](std::uint64_t offset) {
            chosen = static_cast<std::uint16_t>(node_ports_.first + offset);
            const bool used_here = std::any_of(
                service.ports.begin(), service.ports.end(),
                [&](const api::ServicePort& port) { return port.node_port == chosen && port.protocol == protocol; });
            return !used_here && !is_health_port(service, chosen, protocol) &&
                   free_for(owner, PortKey{chosen, protocol});
        });
    if (!found)
        return tl::unexpected(
            fmt::format("service_node_port_range {}-{} is full ({} ports); enlarge it or delete Services",
                        node_ports_.first, node_ports_.last, size));
    return chosen;
}

bool Allocator::free_for(const api::ObjectName& owner, const Address& address) const {
    const auto held = addresses_.find(address);
    return held == addresses_.end() || held->second == owner;
}

bool Allocator::free_for(const api::ObjectName& owner, const PortKey& port) const {
    const auto held = ports_.find(port);
    return held == ports_.end() || held->second == owner;
}

void Allocator::hold(const api::Service& service) {
    Holding holding;
    for (const Address& address : service.cluster_ips) {
        addresses_[address] = service.name;
        holding.addresses.push_back(address);
    }
    for (const api::ServicePort& port : service.ports)
        if (port.node_port != 0) {
            ports_[{port.node_port, port.protocol}] = service.name;
            holding.ports.emplace_back(port.node_port, port.protocol);
        }
    if (const std::uint16_t port = health_check_port(service); port != 0) {
        ports_[{port, api::Protocol::tcp}] = service.name;
        holding.ports.emplace_back(port, api::Protocol::tcp);
    }
    holdings_[service.name] = std::move(holding);
}

void Allocator::drop(const api::ObjectName& name) {
    const auto found = holdings_.find(name);
    if (found == holdings_.end())
        return;
    for (const Address& address : found->second.addresses)
        addresses_.erase(address);
    for (const PortKey& port : found->second.ports)
        ports_.erase(port);
    holdings_.erase(found);
}

}  // namespace proxy
