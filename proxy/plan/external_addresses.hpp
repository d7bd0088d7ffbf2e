// Which external addresses (spec.externalIPs, status.loadBalancer.ingress) a Service may have. Anybody who may write a
// Service can name any address, and would have the traffic of all pods and nodes to it (CVE-2020-8554): what belongs to
// somebody else, as far as a node can tell, is refused. docs/security.md says what is left. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "api/objects/types.hpp"
#include "proxy/config/config.hpp"
#include "proxy/plan/address_book.hpp"

namespace proxy {

/// What external addresses are judged by, of this node.
struct ClaimFacts {
    ExternalIps external_ips;
    std::vector<base::Prefix> pod_networks;
    std::vector<base::Prefix> service_ranges;
    std::set<Address> broadcasts;       ///< of the subnets of this node's interfaces
    std::set<std::uint16_t> own_ports;  ///< of TCP: where the kubelet and podferry answer
    bool operator==(const ClaimFacts&) const = default;
};

/// All that decides over an address.
struct Surroundings {
    const ClaimFacts& facts;
    const std::set<Address>& own_addresses;  ///< of this node's interfaces
    const AddressBook& book;
};

/// The field of a Service that names an external address.
enum class ClaimField : std::uint8_t { external_ips, ingress };

/// Why nobody may have that front end, as a sentence that begins with the field; nullopt: it is allowed.
std::optional<std::string> why_refused(ClaimField field, const Address& address, std::uint16_t port,
                                       api::Protocol protocol, const Surroundings& around);

/// An address that a Service has, but for some ports.
struct ExternalAddress {
    Address address;
    ClaimField field = ClaimField::external_ips;
    std::set<std::pair<std::uint16_t, api::Protocol>> refused;
    bool takes(const api::ServicePort& port) const { return !refused.contains({port.port, port.protocol}); }
};

/// Those that the Service may have, in the order of its fields; a load balancer's only where nodes answer its
/// connections (ipMode VIP). Each refusal is added to `problems` as "field: sentence", the first few of them.
std::vector<ExternalAddress> external_addresses(const api::Service& service, const Surroundings& around,
                                                std::vector<std::string>& problems);

/// All that the Service names, in the same order, whether it may have them or not.
std::vector<ExternalAddress> named_addresses(const api::Service& service);

/// All addresses that a Service names, whether it may have them or not.
std::set<Address> claimed_addresses(const api::Service& service);

}  // namespace proxy
