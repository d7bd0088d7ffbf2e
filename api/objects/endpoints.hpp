// Makes endpoints of Services and pods, or of Services and slices: what the endpoint slice controller would write
// (staging/src/k8s.io/endpointslice, reference: service with a selector; else the slices as given). Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "api/objects/store.hpp"
#include "api/objects/types.hpp"

namespace api {

struct ResolvedEndpoint {
    Address address;
    std::uint16_t port = 0;
    bool ready = false;    ///< gets new connections
    bool serving = false;  ///< its readiness, whether it is terminating or not
    bool terminating = false;
    bool unknown = false;  ///< its probe has not answered yet
    bool failed = false;   ///< its pod is known to fail its probe
    bool local = false;    ///< on this node
    ObjectName pod;        ///< empty for endpoints of slices
    Shared<std::vector<Hint>> hints;
    Shared<std::string> node{};  ///< that it is on; empty: unknown
    /// Own checks have it out although it is ready: for clients that may use every node's endpoints, and for those that
    /// may use this node's only. Nobody here decides that.
    bool vetoed = false;
    bool vetoed_here = false;
    bool gone = false;  ///< the same: its node is dead, and what it had is to be reset
    bool operator==(const ResolvedEndpoint&) const = default;
};

/// Endpoints of one port of a Service, of all families, in the order of their addresses.
struct PortEndpoints {
    std::size_t port_index = 0;  ///< in Service::ports
    std::vector<ResolvedEndpoint> endpoints;
    bool all = true;  ///< false: there are more
};

/// A prober's verdict on a pod: true or false; nullopt: it has not answered, or there is no probe.
struct PodReadiness {
    bool probed = false;
    std::optional<bool> ready;
};
using ReadinessOf = std::function<PodReadiness(const Pod&)>;

/// `own_node`: the name of this node, for ResolvedEndpoint::local. At most `most` are resolved, over all ports, in the
/// order of the ports: where they end, so do the groups; only the first port's may be a part of all. Costs what is
/// returned, and what the Service and its slices or pods are.
std::vector<PortEndpoints> endpoints_of(const Service& service, const Store& store, const ReadinessOf& readiness,
                                        const std::string& own_node,
                                        std::size_t most = std::numeric_limits<std::size_t>::max());

}  // namespace api
