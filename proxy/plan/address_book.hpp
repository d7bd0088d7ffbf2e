// Which addresses and ports are in use, as far as the objects say: ClusterIPs, health check ports, API servers. Knows
// which Services have named an address that is not theirs, so that a change costs those that it is about. Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <vector>

#include "api/objects/types.hpp"
#include "base/address.hpp"

namespace proxy {

using base::Address;

/// An address and port at which an API server answers, over TCP.
struct ServerAddress {
    Address address;
    std::uint16_t port = 0;
    auto operator<=>(const ServerAddress&) const = default;
};

class AddressBook {
public:
    using Servers = std::set<ServerAddress>;
    /// The API's own: its endpoints are API servers.
    static bool is_api_service(const api::ObjectName& service) {
        return service.space == "default" && service.name == "kubernetes";
    }

    /// The Service's own ClusterIPs, in the place of those that it had.
    void put(const api::ObjectName& service, const std::vector<api::Address>& cluster_ips);
    /// Addresses of others that it names: it is affected when what is known of them changes. In the place of the
    /// former.
    void watch(const api::ObjectName& service, std::set<Address> named);
    /// The Service's health check port, on which podferry answers at this node's addresses `own`; 0: none.
    void put_health_port(const api::ObjectName& service, std::uint16_t port, const std::set<api::Address>& own);
    void remove(const api::ObjectName& service, const std::set<api::Address>& own);

    /// Whether any Service has it.
    bool is_cluster_ip(const Address& address) const { return cluster_ips_.contains(address); }

    bool is_health_port(std::uint16_t port) const { return health_ports_.contains(port); }

    /// An API server that the configuration names, or that podferry has connected to. The latest addresses of a
    /// name are kept that has ever other ones.
    void add_server_in_use(const ServerAddress& where);
    /// Those that the cluster names: the endpoints of Service default/kubernetes.
    void set_servers_of_cluster(Servers servers);
    bool is_api_server(const ServerAddress& where) const;
    /// Whether an API server answers at that address, on whatever port.
    bool has_api_server(const Address& address) const;
    /// All of them.
    Servers servers() const;

    /// Services that are to be planned again, since the last call.
    std::set<api::ObjectName> exchange_affected();

private:
    void affect_all();
    void forget_cluster_ips(const api::ObjectName& service);
    void affect_watchers_of(const Address& address);

    std::map<Address, std::uint32_t> cluster_ips_;  // how many Services have it
    std::map<api::ObjectName, std::vector<Address>> owned_;
    std::map<api::ObjectName, std::set<Address>> named_;
    std::map<Address, std::set<api::ObjectName>> watchers_;
    std::map<api::ObjectName, std::uint16_t> health_port_of_;
    std::map<std::uint16_t, std::uint32_t> health_ports_;  // how many Services have it
    Servers in_use_;
    std::deque<ServerAddress> in_use_order_;  // the longest known first
    Servers of_cluster_;
    std::set<api::ObjectName> affected_;
};

}  // namespace proxy
