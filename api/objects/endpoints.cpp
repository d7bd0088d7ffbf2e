#include "api/objects/endpoints.hpp"

#include <algorithm>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/overloaded.hpp"

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

/// A named port of a pod.
using PortName = std::pair<std::string_view, Protocol>;

/// First the containers in order, the first port with equal name and protocol (podutil.FindPort).
std::map<PortName, std::uint16_t> named_ports(const Pod& pod) {
    std::map<PortName, std::uint16_t> ports;
    for (const Container& container : pod.containers)
        for (const ContainerPort& port : container.ports)
            ports.try_emplace({port.name, port.protocol}, port.port);
    return ports;
}

std::vector<Address> addresses_of(const Pod& pod, const Store& store) {
    if (!pod.ips.empty() || !pod.host_network)
        return pod.ips;
    const auto node = store.nodes().find(ObjectName{"", pod.node_name});
    return node == store.nodes().end() ? pod.ips : node->addresses;
}

/// What the endpoints of one pod have in common, over all ports.
struct PodEndpoint {
    ResolvedEndpoint common;
    std::vector<Address> addresses;
    std::map<PortName, std::uint16_t> ports;

    std::optional<std::uint16_t> port(const ServicePort& wanted) const {
        const auto by_name = [&](const std::string& name) -> std::optional<std::uint16_t> {
            const auto found = ports.find({name, wanted.protocol});
            return found == ports.end() ? std::nullopt : std::optional(found->second);
        };
        return std::visit(base::overloaded{[](std::uint16_t number) { return std::optional(number); }, by_name},
                          wanted.target_port);
    }
};

std::vector<PodEndpoint> pods_of(const Service& service, const Store& store, const ReadinessOf& readiness,
                                 const std::string& own_node) {
    const bool by_name = std::any_of(service.ports.begin(), service.ports.end(), [](const ServicePort& port) {
        return std::holds_alternative<std::string>(port.target_port);
    });
    std::vector<PodEndpoint> pods;
    for (const Pod* pod : store.pods_of(service)) {
        if (pod->phase == PodPhase::succeeded || pod->phase == PodPhase::failed)
            continue;
        const PodReadiness verdict = readiness(*pod);
        const std::optional<bool> is_serving = serving(*pod, verdict);
        ResolvedEndpoint endpoint;
        endpoint.serving = is_serving.value_or(false);
        endpoint.terminating = pod->terminating;
        endpoint.ready = service.publish_not_ready_addresses || (endpoint.serving && !pod->terminating);
        endpoint.unknown = !is_serving && !endpoint.ready;
        endpoint.failed = verdict.probed && verdict.ready == false;
        endpoint.local = pod->node_name.empty() || pod->node_name == own_node;
        endpoint.pod = pod->name;
        endpoint.node = pod->node_name;
        pods.push_back({endpoint, addresses_of(*pod, store), {}});
        if (by_name)
            pods.back().ports = named_ports(*pod);
    }
    return pods;
}

/// A port of a slice that belongs to a port of the Service.
struct SlicePort {
    const EndpointSlice* slice;
    std::uint16_t port;
};

/// Sorts slices' ports by the Service's. A slice's port belongs to those of the same name and protocol.
std::vector<std::vector<SlicePort>> slice_ports(const Service& service, const Store& store) {
    std::multimap<std::pair<std::string_view, Protocol>, std::size_t> indices;
    for (std::size_t i = 0; i < service.ports.size(); ++i)
        indices.emplace(std::pair(std::string_view(service.ports[i].name), service.ports[i].protocol), i);
    std::vector<std::vector<SlicePort>> found(service.ports.size());
    for (const EndpointSlice* slice : store.slices_of(service.name))
        for (const EndpointPort& port : slice->ports) {
            const auto [begin, end] = indices.equal_range({port.name, port.protocol});
            for (auto index = begin; index != end; ++index)
                found[index->second].push_back({slice, port.port});
        }
    return found;
}

/// Adds endpoints of one port as long as `room` is left; false when there is too little.
bool add_slices(const std::vector<SlicePort>& ports, const Shared<std::string>& own, std::size_t room,
                std::vector<ResolvedEndpoint>& endpoints) {
    for (const auto& [slice, port] : ports)
        for (const Endpoint& endpoint : slice->endpoints) {
            if (endpoints.size() == room)
                return false;
            endpoints.push_back({endpoint.address,
                                 port,
                                 endpoint.ready,
                                 endpoint.serving,
                                 endpoint.terminating,
                                 false,
                                 false,
                                 endpoint.node_name == own,
                                 {},
                                 endpoint.hints,
                                 endpoint.node_name});
        }
    return true;
}

bool add_pods(const std::vector<PodEndpoint>& pods, const ServicePort& port, std::size_t room,
              std::vector<ResolvedEndpoint>& endpoints) {
    for (const PodEndpoint& pod : pods) {
        const auto number = pod.port(port);
        if (!number)
            continue;
        for (const Address& address : pod.addresses) {
            if (endpoints.size() == room)
                return false;
            endpoints.push_back(pod.common);
            endpoints.back().address = address;
            endpoints.back().port = *number;
        }
    }
    return true;
}

/// An address may come twice while it moves between slices: the ready one counts, then the one on this node.
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
                                        const std::string& own_node, std::size_t most) {
    std::vector<PortEndpoints> result;
    if (service.type == ServiceType::external_name)
        return result;
    const bool by_slices = service.selector.empty();
    const Shared<std::string> own(own_node);
    const auto slices = by_slices ? slice_ports(service, store) : std::vector<std::vector<SlicePort>>{};
    const auto pods = by_slices ? std::vector<PodEndpoint>{} : pods_of(service, store, readiness, own_node);
    for (std::size_t index = 0; index < service.ports.size(); ++index) {
        PortEndpoints group{index, {}};
        group.all = by_slices ? add_slices(slices[index], own, most, group.endpoints)
                              : add_pods(pods, service.ports[index], most, group.endpoints);
        const bool all = group.all;
        if (!all && index > 0)
            break;
        most -= group.endpoints.size();
        sort_unique(group.endpoints);
        result.push_back(std::move(group));
        if (!all)
            break;
    }
    return result;
}

}  // namespace api
