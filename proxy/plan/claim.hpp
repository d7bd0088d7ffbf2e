// Who has a virtual server that several Services want, by what it is to each of them and by age. Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "api/objects/types.hpp"
#include "netlink/objects.hpp"

namespace proxy {

/// What a front end is to its Service. The claim whose kind comes first here wins: who allocates ClusterIPs
/// and node ports keeps them apart, and who writes a load balancer's status is trusted to do so; external IPs are
/// whatever the owner of a Service writes.
enum class FrontEndKind : std::uint8_t { cluster_ip, node_port, load_balancer, external_ip };

/// "a ClusterIP", "a node port", ...
std::string_view to_string(FrontEndKind kind);

/// Among claims of one kind that of the Service which was created first wins. Services without that time (manifests)
/// come after those that have it; among them, the one that has wanted it for longer. Names decide what is left.
struct Age {
    std::chrono::sys_seconds created;  ///< metadata.creationTimestamp; the epoch: not known
    std::uint64_t round = 0;           ///< counts up: the wish of the lower round is the older
};

/// The rank of a Service of that age among others: the least is the oldest.
using Seniority = std::tuple<bool, std::chrono::sys_seconds, std::uint64_t, api::ObjectName>;
Seniority seniority(const api::ObjectName& service, const Age& age);

/// That a Service wants a virtual server.
struct Claim {
    FrontEndKind kind = FrontEndKind::cluster_ip;
    Age age;
};

/// A virtual server that a service wants and another one has.
struct Conflict {
    netlink::VirtualServer server;
    api::ObjectName service;
    api::ObjectName owner;
    FrontEndKind kind = FrontEndKind::cluster_ip;        ///< what it is to `service`
    FrontEndKind owner_kind = FrontEndKind::cluster_ip;  ///< and to `owner`
    auto operator<=>(const Conflict&) const = default;
};

/// What it means for `service`, why, and what to do, for people.
std::string to_string(const Conflict& conflict);

/// All that want one virtual server. What is asked or changed costs the logarithm of how many they are.
class Rivals {
public:
    /// The Service wants it, in the place of its former claim; its round stays what it was.
    void put(const api::ObjectName& service, const Claim& claim);
    /// Only if it is not there yet.
    void join(const api::ObjectName& service, const Claim& claim);
    void remove(const api::ObjectName& service);

    /// Who comes first. There is one.
    const api::ObjectName& first() const { return std::get<api::ObjectName>(*order_.begin()); }
    /// Whether it would come first with that claim.
    bool would_be_first(const api::ObjectName& service, const Claim& claim) const;

    const Claim& claim_of(const api::ObjectName& service) const { return claims_.at(service); }
    const std::map<api::ObjectName, Claim>& all() const { return claims_; }
    std::size_t size() const { return claims_.size(); }

private:
    using Rank = std::tuple<FrontEndKind, bool, std::chrono::sys_seconds, std::uint64_t, api::ObjectName>;
    static Rank rank(const api::ObjectName& service, const Claim& claim);

    std::map<api::ObjectName, Claim> claims_;
    std::set<Rank> order_;
};

}  // namespace proxy
