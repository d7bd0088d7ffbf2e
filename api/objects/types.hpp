// What podferry knows of Kubernetes objects: plain values with only the fields it uses.
// Field meanings and defaults follow the Kubernetes API reference, v1.37 (core/v1, discovery.k8s.io/v1).
// Values here are already defaulted and validated: decoding rejects what the API server would reject.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "api/objects/shared.hpp"
#include "base/prefix.hpp"

namespace api {

using base::Address;
using Labels = std::map<std::string, std::string>;

enum class Protocol : std::uint8_t { tcp, udp, sctp };
enum class Family : std::uint8_t { ipv4, ipv6 };

inline Family family_of(const Address& address) {
    return address.is_v6() ? Family::ipv6 : Family::ipv4;
}

/// Namespace and name. Cluster-scoped objects (Node) have an empty namespace.
struct ObjectName {
    std::string space;
    std::string name;
    auto operator<=>(const ObjectName&) const = default;
};

/// "namespace/name", or "name" for cluster-scoped objects.
inline std::string to_string(const ObjectName& name) {
    return name.space.empty() ? name.name : name.space + "/" + name.name;
}

// ---- Service -------------------------------------------------------------------------------------------------

/// A port number (1..65535), or the name of a container port.
using PortReference = std::variant<std::uint16_t, std::string>;

struct ServicePort {
    std::string name;  ///< empty only when it is the Service's one port
    Protocol protocol = Protocol::tcp;
    std::uint16_t port = 0;  ///< 1..65535
    PortReference target_port = std::uint16_t{0};
    std::uint16_t node_port = 0;  ///< 0: none given
    bool operator==(const ServicePort&) const = default;
};

enum class ServiceType : std::uint8_t { cluster_ip, node_port, load_balancer, external_name };
enum class TrafficPolicy : std::uint8_t { cluster, local };
/// status.loadBalancer.ingress[].ipMode: who answers connections to the address, the nodes or the load balancer
/// (KEP-1860).
enum class IpMode : std::uint8_t { vip, proxy };
enum class FamilyPolicy : std::uint8_t { single_stack, prefer_dual_stack, require_dual_stack };

/// An address that a load balancer has given a Service.
struct Ingress {
    Address address;
    IpMode mode = IpMode::vip;
    bool operator==(const Ingress&) const = default;
};

struct Service {
    ObjectName name;
    std::string uid;
    std::chrono::sys_seconds created;  ///< metadata.creationTimestamp; the epoch when there is none
    Labels annotations;                ///< those of the domains podferry.io and kube-router.io
    ServiceType type = ServiceType::cluster_ip;
    Labels selector;                   ///< empty: endpoints are not managed from pods
    bool headless = false;             ///< clusterIP: None
    std::vector<Address> cluster_ips;  ///< as given; empty: to be allocated (or headless, ExternalName)
    std::vector<Family> families;      ///< ipFamilies as given; may be empty
    std::optional<FamilyPolicy> family_policy;
    std::vector<ServicePort> ports;
    std::vector<Address> external_ips;
    std::vector<Ingress> ingress;                            ///< of type LoadBalancer; those with an IP address
    std::vector<base::Prefix> source_ranges;                 ///< spec.loadBalancerSourceRanges; empty: everybody
    std::uint16_t health_check_node_port = 0;                ///< 0: none
    std::optional<std::chrono::seconds> client_ip_affinity;  ///< set: sessionAffinity ClientIP, 1 s..86400 s
    TrafficPolicy external_traffic_policy = TrafficPolicy::cluster;
    TrafficPolicy internal_traffic_policy = TrafficPolicy::cluster;
    bool publish_not_ready_addresses = false;
    bool allocate_node_ports = true;  ///< spec.allocateLoadBalancerNodePorts
    bool operator==(const Service&) const = default;
};

// ---- EndpointSlice -------------------------------------------------------------------------------------------

struct EndpointPort {
    std::string name;
    Protocol protocol = Protocol::tcp;
    std::uint16_t port = 0;
    bool operator==(const EndpointPort&) const = default;
};

/// Whose clients are to use an endpoint: those of a zone, or those of a node (KEP-2433, KEP-3015).
struct Hint {
    enum class Scope : std::uint8_t { zone, node } scope = Scope::zone;
    std::string name;
    bool operator==(const Hint&) const = default;
};

/// One address of a slice. Absent conditions are already resolved: ready -> true, serving -> true, terminating ->
/// false (discovery/v1 EndpointConditions).
struct Endpoint {
    Address address;
    bool ready = true;
    bool serving = true;
    bool terminating = false;
    Shared<std::string> node_name;  ///< empty: unknown
    Shared<std::vector<Hint>> hints;
    bool operator==(const Endpoint&) const = default;
};

/// An Endpoints object is decoded into slices of this kind too, one per subset and family.
struct EndpointSlice {
    ObjectName name;
    std::string service;  ///< label kubernetes.io/service-name, same namespace
    Family family = Family::ipv4;
    std::vector<EndpointPort> ports;
    std::vector<Endpoint> endpoints;
    /// Annotation endpoints.kubernetes.io/last-change-trigger-time: when what the slice tells of happened; the epoch:
    /// not said.
    std::chrono::system_clock::time_point changed;
    bool operator==(const EndpointSlice&) const = default;
};

// ---- Pod -----------------------------------------------------------------------------------------------------

struct ContainerPort {
    std::string name;
    Protocol protocol = Protocol::tcp;
    std::uint16_t port = 0;
    bool operator==(const ContainerPort&) const = default;
};

struct HttpGet {
    std::string path = "/";
    PortReference port;
    std::string host;  ///< empty: the pod's address
    bool https = false;
    bool h2 = false;  ///< HTTP/2 in plain text (protocol: HTTP2)
    std::vector<std::pair<std::string, std::string>> headers;
    bool operator==(const HttpGet&) const = default;
};

struct TcpSocket {
    PortReference port;
    std::string host;  ///< empty: the pod's address
    bool operator==(const TcpSocket&) const = default;
};

struct GrpcAction {
    std::uint16_t port = 0;
    std::string service;  ///< empty: the server as a whole
    bool tls = false;
    bool operator==(const GrpcAction&) const = default;
};

struct ExecAction {
    std::vector<std::string> command;  ///< $(NAME) of the container's own variables is their value already
    bool operator==(const ExecAction&) const = default;
};

struct Probe {
    std::variant<HttpGet, TcpSocket, GrpcAction, ExecAction> handler;
    std::chrono::seconds initial_delay{0};
    std::chrono::seconds timeout{1};
    std::chrono::seconds period{10};
    int success_threshold = 1;
    int failure_threshold = 3;
    bool operator==(const Probe&) const = default;
};

struct Container {
    std::string name;
    std::vector<ContainerPort> ports;
    std::optional<Probe> readiness;
    std::optional<Probe> liveness;
    std::optional<Probe> startup;
    bool operator==(const Container&) const = default;
};

enum class ContainerState : std::uint8_t { waiting, running, terminated };

struct ContainerStatus {
    std::string name;
    std::string container_id;
    bool ready = false;
    std::optional<bool> started;
    ContainerState state = ContainerState::waiting;
    bool operator==(const ContainerStatus&) const = default;
};

enum class PodPhase : std::uint8_t { unknown, pending, running, succeeded, failed };

struct Pod {
    ObjectName name;
    std::string uid;
    Labels labels;
    std::string node_name;  ///< empty: not given
    bool host_network = false;
    bool terminating = false;           ///< metadata.deletionTimestamp is set
    std::vector<Container> containers;  ///< ordinary containers, then restartable init containers
    std::vector<std::string> readiness_gates;
    PodPhase phase = PodPhase::unknown;      ///< unknown: no status given (a manifest folder)
    std::vector<Address> ips;                ///< status.podIPs, else [status.podIP]
    std::map<std::string, bool> conditions;  ///< status.conditions: type -> status is "True"
    std::vector<ContainerStatus> container_statuses;
    bool operator==(const Pod&) const = default;
};

// ---- Node ----------------------------------------------------------------------------------------------------

struct Node {
    ObjectName name;
    std::vector<Address> addresses;  ///< InternalIPs in order, then ExternalIPs
    /// About to go: it is being deleted, or the cluster autoscaler has tainted it (KEP-3836). Load balancers that ask
    /// /healthz stop sending new connections.
    bool leaving = false;
    std::string zone;                       ///< label topology.kubernetes.io/zone; empty: unknown
    std::vector<base::Prefix> pod_cidrs{};  ///< spec.podCIDRs: of the node's pods, at most one of a family
    bool operator==(const Node&) const = default;
};

// ---- ServiceCIDR ---------------------------------------------------------------------------------------------

/// Ranges of ClusterIPs (networking.k8s.io/v1, KEP-1880). It has them from its creation until it is gone, whatever its
/// condition Ready says: while it is being deleted, Services still have addresses in it. So does kube-proxy read it
/// (pkg/proxy/config/config.go, ServiceCIDRConfig).
struct ServiceCidr {
    ObjectName name;
    std::vector<base::Prefix> cidrs;
    bool operator==(const ServiceCidr&) const = default;
};

using Object = std::variant<Service, EndpointSlice, Pod, Node, ServiceCidr>;
enum class Kind : std::uint8_t { service, endpoint_slice, pod, node, service_cidr };

}  // namespace api
