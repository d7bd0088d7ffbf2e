// Which front ends a Service asks for, in the order in which it gets them, and how many it may have. A Service of 40 kB
// can ask for a million: ports x addresses, each with all of its endpoints. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <vector>

#include "api/objects/endpoints.hpp"
#include "api/objects/types.hpp"
#include "netlink/objects.hpp"
#include "proxy/plan/claim.hpp"
#include "proxy/plan/external_addresses.hpp"
#include "proxy/plan/source_ranges.hpp"

namespace proxy {

struct NodeFacts;

struct FrontEndWish {
    FrontEndKind kind = FrontEndKind::cluster_ip;
    const Address* address = nullptr;  ///< in the Service, in its external addresses or in NodeFacts
    std::size_t port_index = 0;        ///< in Service::ports
};

struct FrontEndWishes {
    std::vector<FrontEndWish> first;  ///< as many as were asked for
    std::uint64_t all = 0;            ///< how many there are
};

/// Which of the front ends that a Service asks for.
enum class Asked : std::uint8_t {
    served,  ///< of a family of which it has a ClusterIP, where the node has that family
    all,     ///< for people
};

/// The first `most` front ends of a Service that has addresses: ClusterIPs, then node ports, then load balancers'
/// addresses, then external IPs; of each kind address by address in the order given, each with its ports in the
/// Service's order. `external`: those of its external addresses that count, without their refused ports
/// (external_addresses()). Costs what is returned and what the Service is.
FrontEndWishes front_ends_of(const api::Service& service, const std::vector<ExternalAddress>& external,
                             const NodeFacts& node, std::size_t most, Asked asked = Asked::served);

/// The order in which they are planned: by family, that of the first ClusterIP first, and by port; those of one port in
/// the order of their kinds. Where two are one virtual server, the later one's traffic policy holds.
std::vector<FrontEndWish> by_port(std::span<const FrontEndWish> wishes, const api::Service& service);

netlink::VirtualServer server_of(const FrontEndWish& wish, const api::Service& service);

/// spec.loadBalancerSourceRanges of IPv4 and of IPv6.
using SourcesByFamily = std::array<AllowedSources, 2>;
SourcesByFamily sources_of(const api::Service& service, const std::set<Address>& own_addresses);

/// What front ends cost: how many they are, and what they multiply.
struct Cost {
    std::uint64_t front_ends = 0;
    /// Real servers over all front ends; an element of the sets that hold loadBalancerSourceRanges counts as four.
    std::uint64_t real_servers = 0;
    bool operator==(const Cost&) const = default;
};

/// What one front end has behind it, by port and family.
class Multiplied {
public:
    Multiplied(const api::Service& service, const std::vector<api::PortEndpoints>& endpoints,
               const SourcesByFamily& sources);
    std::uint64_t real_servers(const FrontEndWish& wish) const;

private:
    std::vector<std::uint64_t> endpoints_[2];  // by port; of IPv4, of IPv6
    std::uint64_t sources_[2] = {0, 0};
};

/// How many of the wishes, from the first on, fit into `room`, and what they cost; none of the first port whose
/// endpoints are not known, or behind it (`known_ports`: those before are).
struct Fitting {
    std::size_t count = 0;
    Cost cost;
};
Fitting fitting(std::span<const FrontEndWish> wishes, const Multiplied& multiplied, std::size_t known_ports,
                const Cost& room);

}  // namespace proxy
