// Gives Services their ClusterIPs and node ports, and refuses double use. Pure: values in, values out.
// Rules of the API server's allocators (KEP-3070 for ClusterIPs, KEP-3668 for node ports): an automatic choice comes
// from the upper band of the range first, so that addresses given explicitly have the lower band to themselves.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tl/expected.hpp>
#include <tuple>
#include <vector>

#include "api/objects/types.hpp"
#include "proxy/config/config.hpp"

namespace proxy {

/// What was chosen automatically for one Service; remembered over restarts.
struct Choice {
    std::vector<Address> cluster_ips;
    /// "port/protocol" of a service port ("80/tcp") to its node port.
    std::map<std::string, std::uint16_t> node_ports;
    bool operator==(const Choice&) const = default;
};

using Choices = std::map<api::ObjectName, Choice>;

struct RangeUse {
    std::string range;
    std::uint64_t size = 0;
    std::uint64_t used = 0;
};

class Allocator {
public:
    Allocator(std::vector<base::Prefix> service_ranges, PortRange node_ports, Choices remembered);

    /// The Service with its ClusterIPs and node ports filled in, as the API server would store it; or what is wrong,
    /// as "field: sentence". A Service that was accepted before and is refused now keeps what it holds.
    tl::expected<api::Service, std::string> allocate(const api::Service& service);

    /// Gives back everything that the Service holds.
    void release(const api::ObjectName& name);

    /// The automatic choices in force, to be remembered.
    const Choices& choices() const { return choices_; }

    /// How full the ranges are: first the ClusterIP ranges in the configured order, then the node ports.
    std::vector<RangeUse> use() const;

private:
    struct Holding {
        std::vector<Address> addresses;
        std::vector<std::pair<std::uint16_t, api::Protocol>> ports;
    };
    using PortKey = std::pair<std::uint16_t, api::Protocol>;

    std::string fill_cluster_ips(api::Service& service, Choice& choice);
    std::string check_health_port(const api::Service& service) const;
    std::string fill_node_ports(api::Service& service, Choice& choice);
    std::string check_explicit_address(const api::Service& service, const Address& address) const;
    const base::Prefix* range_of(api::Family family) const;
    tl::expected<Address, std::string> pick_address(const api::ObjectName& owner, const base::Prefix& range) const;
    tl::expected<std::uint16_t, std::string> pick_port(const api::ObjectName& owner, api::Protocol protocol,
                                                       const api::Service& service) const;
    bool free_for(const api::ObjectName& owner, const Address& address) const;
    bool free_for(const api::ObjectName& owner, const PortKey& port) const;
    void hold(const api::Service& service);
    void drop(const api::ObjectName& name);

    std::vector<base::Prefix> ranges_;
    PortRange node_ports_;
    Choices choices_;
    std::map<Address, api::ObjectName> addresses_;
    std::map<PortKey, api::ObjectName> ports_;
    std::map<api::ObjectName, Holding> holdings_;
};

/// JSON text of choices, and back; the error says what is wrong with the text.
std::string to_json(const Choices& choices);
tl::expected<Choices, std::string> choices_from_json(std::string_view text);

}  // namespace proxy
