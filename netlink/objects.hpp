// Kernel objects as values: IPVS virtual servers and real servers, local routes, nftables set elements.
// Nothing here knows of Kubernetes.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <variant>
#include <vector>

#include "base/prefix.hpp"

namespace netlink {

using base::Address;

/// Values are the IP protocol numbers.
enum class Protocol : std::uint8_t { none = 0, tcp = 6, udp = 17, sctp = 132 };

/// Key of an IPVS virtual server: address, protocol and port; or a packet mark and a family, for packets that carry it
/// (then the address is the family's unspecified one, and there is no protocol or port).
struct VirtualServer {
    Address address;
    Protocol protocol = Protocol::tcp;
    std::uint16_t port = 0;
    std::uint32_t mark = 0;
    auto operator<=>(const VirtualServer&) const = default;
};

/// Flags that a scheduler reads (include/uapi/linux/ip_vs.h). The first two are those of sh and mh, the only ones that
/// read any (IP_VS_SVC_F_SCHED_SH_FALLBACK, IP_VS_SVC_F_SCHED_MH_PORT, ...).
inline constexpr std::uint32_t scheduler_fallback = 0x08;  ///< a real server of weight 0 is passed over
inline constexpr std::uint32_t scheduler_port = 0x10;      ///< the client's port is hashed too, not its address alone
inline constexpr std::uint32_t scheduler_flag_3 = 0x20;

/// What can be edited in place (IPVS_CMD_SET_SERVICE).
struct VirtualServerSettings {
    std::string scheduler = "rr";
    bool persistent = false;          ///< IP_VS_SVC_F_PERSISTENT
    std::uint32_t persistence_s = 0;  ///< seconds; 0 when not persistent
    std::uint32_t scheduler_flags = 0;
    bool operator==(const VirtualServerSettings&) const = default;
};

/// Key of a real server (destination) inside a virtual server. Forwarding is always NAT (masq).
struct RealServer {
    Address address;
    std::uint16_t port = 0;
    auto operator<=>(const RealServer&) const = default;
};

/// A host route of type local in table local on our dummy device, with our protocol number.
struct LocalRoute {
    Address address;
    auto operator<=>(const LocalRoute&) const = default;
};

/// The sets of table `inet podferry` whose elements change with the services. See ruleset.hpp for the rules.
/// Each exists once per address family ("served4", "served6"); the family follows from the element's address.
enum class Set : std::uint8_t {
    served,            ///< address . protocol . port: every virtual server on an address other than node ports
    virtual_address,   ///< address: all ports not in `served` are rejected
    external,          ///< address . protocol . port: front ends on addresses that are not local to this node
    external_address,  ///< address: of these, for ICMP errors that belong to their connections
    masquerade,        ///< address . protocol . port: front ends whose clients are always masqueraded
    external_local,    ///< address . protocol . port: front ends of which only this host's connections are masqueraded
    cluster,           ///< address . protocol . port: ClusterIPs that are open; pods and host are not masqueraded
    hairpin,           ///< pod . pod: a pod that reaches itself is masqueraded
    refused,           ///< address . protocol . port: new connections are refused
    dropped,           ///< address . protocol . port: new connections are dropped
    dropped_outside,   ///< address . protocol . port: new connections from outside the cluster are dropped
    firewalled,        ///< address . protocol . port: open to the sources of `allowed` only
    allowed,           ///< address . protocol . port . network of sources: a set for each length of its prefix
    internal_mark,     ///< address . protocol . port -> mark for IPVS, when the client is a pod or this host
    outside_mark,      ///< address . protocol . port -> mark for IPVS, for all other clients
    node_address,      ///< address: addresses of this node on which node ports are served
    // protocol . port, one set for both families:
    node_port,                ///< node ports, always masqueraded
    node_port_local,          ///< node ports of which only this host's connections are masqueraded
    node_port_dropped,        ///< node ports whose new connections from outside the cluster are dropped
    internal_node_port_mark,  ///< protocol . port -> mark, as internal_mark
    outside_node_port_mark,   ///< protocol . port -> mark, as outside_mark
    mark,                     ///< mark: of our virtual servers that have one
};

/// Prefixes of networks in `allowed` are as long as a multiple of this, in bits: few look-ups for a packet (8 of IPv4,
/// 32 of IPv6), at most 8 elements for a network of another length.
inline constexpr int source_length_step = 4;

/// One element. Fields that the set does not use are left at their default.
struct Element {
    Set set = Set::served;
    Address address;
    Protocol protocol = Protocol::none;
    std::uint16_t port = 0;
    std::uint32_t mark = 0;
    std::shared_ptr<const base::Prefix> sources;  ///< of `allowed` only; most elements have none, and none to pay for
    std::strong_ordering operator<=>(const Element&) const;
    bool operator==(const Element&) const;
};

// ---- changes -------------------------------------------------------------------------------------------------

struct AddVirtualServer {
    VirtualServer server;
    VirtualServerSettings settings;
};
struct EditVirtualServer {
    VirtualServer server;
    VirtualServerSettings settings;
};
struct DeleteVirtualServer {
    VirtualServer server;
};
struct AddRealServer {
    VirtualServer server;
    RealServer real;
    int weight = 1;
};
struct EditRealServer {
    VirtualServer server;
    RealServer real;
    int weight = 1;
};
struct DeleteRealServer {
    VirtualServer server;
    RealServer real;
};
struct AddRoute {
    LocalRoute route;
};
struct DeleteRoute {
    LocalRoute route;
};
struct AddElement {
    Element element;
};
struct DeleteElement {
    Element element;
};
/// The same before anything is added, in one transaction with the elements that are.
struct WithdrawElement {
    Element element;
};

using Change =
    std::variant<WithdrawElement, AddElement, AddVirtualServer, EditVirtualServer, AddRealServer, EditRealServer,
                 AddRoute, DeleteRoute, DeleteRealServer, DeleteVirtualServer, DeleteElement>;

/// Whether it removes something: what an edit changes to is there.
bool is_removal(const Change& change);

/// "add-service", "delete-route", ...: the kind of change, for metrics and logs.
std::string_view operation(const Change& change);
/// The same for a change's place in Change.
std::string_view operation(std::size_t index);

/// "add-service 10.96.0.1:443/tcp rr", one line for logs and tests.
std::string to_string(const Change& change);

/// "10.96.0.1:443/tcp"
std::string to_string(const VirtualServer& server);

/// "served 10.96.0.1 tcp 443"
std::string to_string(const Element& element);
std::string_view to_string(Set set);

/// Whether elements of the set have an address; else there is one set for both families.
bool has_address(Set set);
/// Whether they have a protocol and a port.
bool has_port(Set set);
/// Whether it leads packets to IPVS that would go elsewhere without it, as a route does.
bool captures(Set set);
/// Whether it maps to a mark.
bool is_map(Set set);

/// "10.96.0.1:443", "[fd00::1]:443"
std::string endpoint_text(const Address& address, std::uint16_t port);

}  // namespace netlink
