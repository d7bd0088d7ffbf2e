#include "api/endpoints.hpp"

#include <algorithm>
#include <tuple>

namespace api {
namespace {

/// The pod's Ready condition as far as it can be told; nullopt: its probe has not answered yet.
std::optional<bool> serving(const Pod& pod, const PodReadiness& verdict) {
    bool ready = true;
    if (verdict.probed) {
        if (!verdict.ready)
            return std::nullopt;
        ready = *verdict.ready;
    } else if (const auto condition = pod.conditions.find("Ready"); condition != pod.conditions.end()) {
        return condition->second;  // the writer of the status has looked at readiness gates
    } else if (!pod.container_statuses.empty()) {
        ready = std::all_of(pod.containers.begin(), pod.containers.end(), [&](const Container& container) {
            return std::any_of(pod.container_statuses.begin(), pod.container_statuses.end(),
                               [&](const ContainerStatus& s) { return s.name == container.name && s.ready; });
        });
    } else if (pod.phase == PodPhase::pending) {
        ready = false;
    }
    return ready && std::all_of(pod.readiness_gates.begin(), pod.readiness_gates.end(), [&](const std::string& gate) {
               const auto condition = pod.conditions.find(gate);
               return condition != pod.conditions.end() && condition->second;
           });
}

/// First the containers in order, the first port with equal name and protocol (podutil.FindPort).
std::optional<std::uint16_t> target_port(const ServicePort& port, const Pod& pod) {
    if (const auto* number = std::get_if<std::uint16_t>(&port.target_port))
        return *number;
    for (const Container& container : pod.containers)
        for (const ContainerPort& candidate : container.ports)
            if (candidate.name == std::get<std::string>(port.target_port) && candidate.protocol == port.protocol)
                return candidate.port;
    return std::nullopt;
}

std::vector<Address> addresses_of(const Pod& pod, const Store& store) {
    if (!pod.ips.empty() || !pod.host_network)
        return pod.ips;
    const auto node = store.nodes().find(ObjectName{"", pod.node_name});
    return node == store.nodes().end() ? pod.ips : node->addresses;
}

void add_pod(const Service& service, const Pod& pod, const Store& store, const ReadinessOf& readiness,
             const std::string& own_node, std::vector<PortEndpoints>& result) {
    if (pod.phase == PodPhase::succeeded || pod.phase == PodPhase::failed)
        return;
    const std::optional<bool> is_serving = serving(pod, readiness(pod));
    ResolvedEndpoint endpoint;
    endpoint.serving = is_serving.value_or(false);
    endpoint.terminating = pod.terminating;
    endpoint.ready = service.publish_not_ready_addresses || (endpoint.serving && !pod.terminating);
    endpoint.unknown = !is_serving && !endpoint.ready;
    endpoint.local = pod.node_name.empty() || pod.node_name == own_node;
    endpoint.pod = pod.name;
    const std::vector<Address> addresses = addresses_of(pod, store);
    for (PortEndpoints& group : result)
        if (const auto port = target_port(service.ports[group.port_index], pod))
            for (const Address& address : addresses) {
                endpoint.address = address;
                endpoint.port = *port;
                group.endpoints.push_back(endpoint);
            }
}

/// A slice's port belongs to the Service's port of the same name and protocol.
void add_slice(const Service& service, const EndpointSlice& slice, const Shared<std::string>& own,
               std::vector<PortEndpoints>& result) {
    for (PortEndpoints& group : result) {
        const ServicePort& wanted = service.ports[group.port_index];
        for (const EndpointPort& port : slice.ports) {
            if (port.name != wanted.name || port.protocol != wanted.protocol)
                continue;
            for (const Endpoint& endpoint : slice.endpoints)
                group.endpoints.push_back({endpoint.address,
                                           port.port,
                                           endpoint.ready,
                                           endpoint.serving,
                                           endpoint.terminating,
                                           false,
                                           endpoint.node_name == own,
                                           {},
                                           endpoint.hints});
        }
    }
}

/// Of an address that comes twice (while it moves between slices) the ready one counts, then the one on this node.
void sort_unique(std::vector<ResolvedEndpoint>& endpoints) {
    const auto key = [](const ResolvedEndpoint& e) { return std::pair(e.address, e.port); };
    std::sort(endpoints.begin(), endpoints.end(), [&](const ResolvedEndpoint& a, const ResolvedEndpoint& b) {
        if (key(a) != key(b))
            return key(a) < key(b);
        return std::tuple(!a.ready, !a.serving, !a.local, a.pod) < std::tuple(!b.ready, !b.serving, !b.local, b.pod);
    });
    endpoints.erase(
        std::unique(endpoints.begin(), endpoints.end(), [&](const auto& a, const auto& b) { return key(a) == key(b); }),
        endpoints.end());
}

}  // namespace

std::vector<PortEndpoints> endpoints_of(const Service& service, const Store& store, const ReadinessOf& readiness,
                                        const std::string& own_node) {
    std::vector<PortEndpoints> result;
    if (service.type == ServiceType::external_name)
        return result;
    for (std::size_t index = 0; index < service.ports.size(); ++index)
        result.push_back({index, {}});
    if (service.selector.empty()) {
        const Shared<std::string> own(own_node);
        for (const EndpointSlice* slice : store.slices_of(service.name))
            add_slice(service, *slice, own, result);
    } else {
        for (const Pod* pod : store.pods_of(service))
            add_pod(service, *pod, store, readiness, own_node, result);
    }
    for (PortEndpoints& group : result)
        sort_unique(group.endpoints);
    return result;
}

}  // namespace api
