// What load balancers are told on the health check ports of Services: how many pods of a Service this node can give
// connections to (reference: service, spec.healthCheckNodePort; kube-proxy's pkg/proxy/healthcheck/service_health.go).
// Pure: health_server.hpp listens.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/objects/endpoints.hpp"
#include "api/objects/types.hpp"
#include "proxy/engine/desired.hpp"
#include "proxy/plan/mirror.hpp"

namespace proxy {

/// Gives the real servers of `asked` to which virtual servers of the Service are to give connections, each with whether
/// the kernel does (yet).
std::map<netlink::RealServer, bool> carried(const api::ObjectName& service, const std::set<netlink::RealServer>& asked,
                                            const Desired& desired, const Mirror& kernel);

/// What is told on one port.
struct HealthPort {
    api::ObjectName service;
    /// Addresses of ready endpoints of this node over all ports, of the family that has more of them: a dual-stack pod
    /// counts once. Terminating endpoints never count, even while they serve.
    std::size_t local_endpoints = 0;
    bool operator==(const HealthPort&) const = default;
};

/// A port that another Service has: the API server keeps them apart, but a watch may tell of the new one first.
struct HealthPortConflict {
    api::ObjectName service;
    std::uint16_t port = 0;
    api::ObjectName owner;
};

class HealthPorts {
public:
    /// Puts the Service in the place of its former version. What the kernel does not hold yet does not count before
    /// settle(); what is gone counts no more at once. An endpoint whose probe has not answered yet counts when it is
    /// carried: so it is after a restart.
    void put(const api::Service& service, const std::vector<api::PortEndpoints>& endpoints, const Desired& desired,
             const Mirror& kernel);
    void remove(const api::ObjectName& service);

    /// Counts anew, after a sync, those that were put since the last call; `all`, when changes were refused, so that
    /// what the kernel holds may have changed without a put. At most `most` Services; true: some are left for a further
    /// call.
    bool settle(const Desired& desired, const Mirror& kernel, bool all,
                std::size_t most = std::numeric_limits<std::size_t>::max());

    /// nullopt when no Service has the port.
    std::optional<HealthPort> find(std::uint16_t port) const;

    /// Ports that have come, gone or changed hands since the last call.
    std::set<std::uint16_t> exchange_touched();

    std::vector<HealthPortConflict> conflicts() const;

private:
    struct Candidate {
        netlink::RealServer real;
        bool unknown = false;  // its probe has not answered yet
    };
    struct Claim {
        std::uint16_t port = 0;
        std::vector<Candidate> candidates;
        std::size_t count = 0;
    };

    static std::size_t count(const api::ObjectName& service, const Claim& claim, const Desired& desired,
                             const Mirror& kernel);

    std::map<api::ObjectName, Claim> claims_;
    std::map<std::uint16_t, std::vector<api::ObjectName>> claimants_;  // the first one has the port
    std::set<api::ObjectName> unsettled_;
    std::set<std::uint16_t> touched_;
};

}  // namespace proxy
