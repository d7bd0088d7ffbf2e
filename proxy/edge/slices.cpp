#include "proxy/edge/slices.hpp"

#include <map>
#include <utility>

#include "proxy/edge/weights.hpp"

namespace proxy {
namespace {

using SliceKey = std::pair<bool, std::vector<std::uint16_t>>;  // of IPv6, and the ports

api::EndpointSlice slice_of(const api::Service& service, const SliceKey& key, std::size_t number) {
    api::EndpointSlice slice;
    slice.name = {service.name.space, service.name.name + "-" + std::to_string(number)};
    slice.service = service.name.name;
    slice.family = key.first ? api::Family::ipv6 : api::Family::ipv4;
    for (std::size_t i = 0; i < service.ports.size() && i < key.second.size(); ++i)
        slice.ports.push_back({service.ports[i].name, service.ports[i].protocol, key.second[i]});
    return slice;
}

api::Endpoint endpoint_of(const Backend& backend, const Address& address, BackendState state) {
    api::Endpoint endpoint;
    endpoint.address = address;
    endpoint.ready = endpoint.serving = is_in(state);
    endpoint.terminating = state == BackendState::silent;
    endpoint.node_name = api::Shared<std::string>(backend.name);
    return endpoint;
}

}  // namespace

Carried carried_of(const Balanced& balanced, const std::vector<BackendFate>& fates) {
    Carried carried{balanced.service, {}};
    std::map<SliceKey, api::EndpointSlice> slices;
    Weights weights;
    for (std::size_t i = 0; i < balanced.backends.size(); ++i) {
        const Backend& backend = balanced.backends[i];
        for (const Address& address : backend.addresses) {
            const SliceKey key{address.is_v6(), backend.ports};
            const auto [place, fresh] = slices.try_emplace(key);
            if (fresh)
                place->second = slice_of(balanced.service, key, slices.size());
            if (fates[i].state != BackendState::dead)
                place->second.endpoints.push_back(endpoint_of(backend, address, fates[i].state));
            if (backend.weight > 1)
                for (const std::uint16_t port : backend.ports)
                    weights[{address, port}] = backend.weight;
        }
    }
    for (auto& [key, slice] : slices)
        carried.slices.push_back(std::move(slice));
    carried.service.annotations.erase(weights_annotation);
    if (!weights.empty())
        carried.service.annotations[weights_annotation] = print_weights(weights);
    return carried;
}

}  // namespace proxy
