#include "proxy/plan/endpoint_addresses.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "proxy/plan/health_check_port.hpp"
#include "proxy/plan/special_addresses.hpp"

namespace proxy {
namespace {

constexpr std::size_t most_told = 4;  // endpoints of one Service

AddressBook::Servers servers_of(const std::vector<api::PortEndpoints>& endpoints) {
    AddressBook::Servers servers;
    for (const api::PortEndpoints& group : endpoints)
        for (const api::ResolvedEndpoint& endpoint : group.endpoints)
            servers.insert({endpoint.address, endpoint.port});
    return servers;
}

}  // namespace

ImpossibleEndpoints drop_impossible(std::vector<api::PortEndpoints>& endpoints, const ClaimFacts& facts,
                                    const AddressBook& book) {
    ImpossibleEndpoints result;
    std::map<Address, std::string> reasons;
    const auto is_impossible = [&](const api::ResolvedEndpoint& endpoint) {
        const Address& address = endpoint.address;
        std::string why = special_kind(address, facts.broadcasts);
        if (why.empty() && std::any_of(facts.service_ranges.begin(), facts.service_ranges.end(),
                                       [&](const base::Prefix& range) { return contains(range, address); })) {
            why = "in a range of ClusterIPs";
        } else if (why.empty() && book.is_cluster_ip(address)) {
            why = "a ClusterIP";
            result.cluster_ips.insert(address);
        }
        if (why.empty())
            return false;
        reasons.try_emplace(address, std::move(why));
        return true;
    };
    for (api::PortEndpoints& group : endpoints)
        std::erase_if(group.endpoints, is_impossible);
    for (const auto& [address, why] : reasons) {
        if (result.problems.size() == most_told) {
            result.problems.push_back(
                fmt::format("endpoints: {} more are left out for such reasons", reasons.size() - most_told));
            break;
        }
        result.problems.push_back(fmt::format(
            "endpoints: {} is {} and cannot be a pod's address; it gets no connections", address.to_string(), why));
    }
    return result;
}

std::vector<std::string> note_addresses(const api::Service& service, std::vector<api::PortEndpoints>& endpoints,
                                        const Surroundings& around, AddressBook& book) {
    book.put(service.name, service.cluster_ips);
    book.put_health_port(service.name, health_check_port(service), around.own_addresses);
    ImpossibleEndpoints impossible = drop_impossible(endpoints, around.facts, book);
    std::set<Address> named = claimed_addresses(service);
    named.merge(impossible.cluster_ips);
    book.watch(service.name, std::move(named));
    if (AddressBook::is_api_service(service.name))
        book.set_servers_of_cluster(servers_of(endpoints));
    return std::move(impossible.problems);
}

}  // namespace proxy
