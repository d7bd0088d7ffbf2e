// Which endpoints of one service port take connections: the rules of kube-proxy's CategorizeEndpoints
// (pkg/proxy/topology.go; KEP-1669 terminating endpoints, KEP-2086 internal traffic policy, KEP-2433 and KEP-3015
// topology hints). Pure.
#pragma once

#include <string>
#include <vector>

#include "api/objects/endpoints.hpp"
#include "api/objects/types.hpp"

namespace proxy {

using EndpointList = std::vector<const api::ResolvedEndpoint*>;

/// Of one service port and one address family.
struct Selection {
    EndpointList cluster;  ///< for clients that may use every node's endpoints
    EndpointList local;    ///< for clients that may use this node's only
    bool has_any = false;  ///< some endpoint somewhere could serve: an empty list means "drop", else "refuse"
};

/// Where the node is, for hints.
struct Place {
    std::string node;
    std::string zone;  ///< empty: unknown, hints of zones do not count
    bool operator==(const Place&) const = default;
};

/// Ready endpoints; when there is none, those that are terminating and still serving, for each list by itself. Only
/// ready ones of `cluster` are chosen by hints. What has not been probed yet or has failed its probe is in neither
/// list.
Selection select(const EndpointList& endpoints, const Place& place);

}  // namespace proxy
