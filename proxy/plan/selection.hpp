// Which endpoints of one service port get connections, and why the others do not: the rules of kube-proxy's
// CategorizeEndpoints (pkg/proxy/topology.go; KEP-1669 terminating endpoints, KEP-2086 internal traffic policy,
// KEP-2433 and KEP-3015 topology hints). Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/objects/endpoints.hpp"
#include "api/objects/types.hpp"

namespace proxy {

using EndpointList = std::vector<const api::ResolvedEndpoint*>;

/// Whether an endpoint gets new connections of some clients, or the reason why not.
enum class EndpointFate : std::uint8_t {
    selected,
    not_local,     ///< it is on another node, and only this node's count
    other_node,    ///< hints give it to other nodes
    other_zone,    ///< hints give it to other zones
    not_probed,    ///< its pod's probe has not answered yet
    terminating,   ///< and it does not serve, or others are ready
    failed_probe,  ///< its pod has failed its probe, or its node is suspect
    dead_node,     ///< its node is dead: nothing of it stays
    not_ready,     ///< so says its pod's status, or its slice
};

/// "failed probe", for people.
std::string_view word(EndpointFate fate);

/// The fates of one endpoint.
struct EndpointFates {
    EndpointFate cluster = EndpointFate::not_ready;  ///< for clients that may use every node's endpoints
    EndpointFate local = EndpointFate::not_ready;    ///< for clients that may use this node's only
    bool operator==(const EndpointFates&) const = default;
};

/// What is selected for one service port and one address family.
struct Selection {
    std::vector<EndpointFates> fates;  ///< of each endpoint, in their order
    EndpointList cluster;              ///< those that are selected, for clients that may use every node's endpoints
    EndpointList local;                ///< the same for clients that may use this node's only
    bool has_any = false;  ///< some endpoint somewhere could serve: an empty list means "drop", else "refuse"
};

/// The zone and the name of the node, for hints.
struct Place {
    std::string node;
    std::string zone;  ///< empty: unknown, hints of zones do not count
    bool operator==(const Place&) const = default;
};

/// Ready endpoints; when there is none, those that are terminating and still serving, for each list by itself. Only
/// ready ones of `cluster` are chosen by hints. Which is vetoed is not ready, for that list. What has not been probed
/// yet or has failed its probe is in neither list.
Selection select(const EndpointList& endpoints, const Place& place);

}  // namespace proxy
