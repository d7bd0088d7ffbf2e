#include "api/store.hpp"

#include <algorithm>

namespace api {
namespace {

bool matches(const Labels& selector, const Labels& labels) {
    return std::all_of(selector.begin(), selector.end(), [&](const auto& wanted) {
        const auto found = labels.find(wanted.first);
        return found != labels.end() && found->second == wanted.second;
    });
}

}  // namespace

Affected Store::apply(Transaction transaction) {
    Affected affected;
    for (const Removal& removal : transaction.removals)
        remove(removal, affected);
    for (Upsert& upsert : transaction.upserts)
        std::visit([&](auto& object) { put(std::move(object), affected); }, upsert.object);
    return affected;
}

void Store::put(Service service, Affected& affected) {
    drop_service(service.name);
    affected.services.insert(service.name);
    if (!service.selector.empty())
        services_by_label_[service.name.space][*service.selector.begin()].insert(service.name.name);
    services_[service.name] = std::move(service);
}

void Store::put(EndpointSlice slice, Affected& affected) {
    drop_slice(slice.name, affected);
    const ObjectName service{slice.name.space, slice.service};
    if (!slice.service.empty()) {
        affected.services.insert(service);
        slices_of_[service].insert(slice.name.name);
    }
    slices_[slice.name] = std::move(slice);
}

void Store::put(Pod pod, Affected& affected) {
    drop_pod(pod.name, affected);
    for (const auto& label : pod.labels)
        pods_by_label_[pod.name.space][label].insert(pod.name.name);
    affect_selecting(pod, affected);
    pods_[pod.name] = std::move(pod);
}

void Store::put(Node node, Affected& affected) {
    affected.nodes = true;
    nodes_[node.name] = std::move(node);
}

void Store::remove(const Removal& removal, Affected& affected) {
    switch (removal.kind) {
        case Kind::service:
            drop_service(removal.name);
            affected.services.insert(removal.name);
            break;
        case Kind::endpoint_slice:
            drop_slice(removal.name, affected);
            break;
        case Kind::pod:
            drop_pod(removal.name, affected);
            break;
        case Kind::node:
            affected.nodes = nodes_.erase(removal.name) > 0 || affected.nodes;
            break;
    }
}

void Store::drop_service(const ObjectName& name) {
    const auto found = services_.find(name);
    if (found == services_.end())
        return;
    if (!found->second.selector.empty())
        services_by_label_[name.space][*found->second.selector.begin()].erase(name.name);
    services_.erase(found);
}

void Store::drop_slice(const ObjectName& name, Affected& affected) {
    const auto found = slices_.find(name);
    if (found == slices_.end())
        return;
    const ObjectName service{name.space, found->second.service};
    if (const auto slices = slices_of_.find(service); slices != slices_of_.end()) {
        slices->second.erase(name.name);
        affected.services.insert(service);
    }
    slices_.erase(found);
}

void Store::drop_pod(const ObjectName& name, Affected& affected) {
    const auto found = pods_.find(name);
    if (found == pods_.end())
        return;
    affect_selecting(found->second, affected);
    for (const auto& label : found->second.labels)
        pods_by_label_[name.space][label].erase(name.name);
    pods_.erase(found);
}

void Store::affect_selecting(const Pod& pod, Affected& affected) const {
    for (ObjectName& service : services_selecting(pod))
        affected.services.insert(std::move(service));
}

std::vector<const EndpointSlice*> Store::slices_of(const ObjectName& service) const {
    std::vector<const EndpointSlice*> found;
    if (const auto names = slices_of_.find(service); names != slices_of_.end())
        for (const std::string& name : names->second)
            found.push_back(&slices_.at({service.space, name}));
    return found;
}

std::vector<const Pod*> Store::pods_of(const Service& service) const {
    std::vector<const Pod*> found;
    const auto space = pods_by_label_.find(service.name.space);
    if (service.selector.empty() || space == pods_by_label_.end())
        return found;
    const auto names = space->second.find(*service.selector.begin());
    if (names == space->second.end())
        return found;
    for (const std::string& name : names->second) {
        const Pod& pod = pods_.at({service.name.space, name});
        if (matches(service.selector, pod.labels))
            found.push_back(&pod);
    }
    return found;
}

std::vector<ObjectName> Store::services_selecting(const Pod& pod) const {
    std::vector<ObjectName> found;
    const auto space = services_by_label_.find(pod.name.space);
    if (space == services_by_label_.end())
        return found;
    for (const auto& label : pod.labels) {
        const auto names = space->second.find(label);
        if (names == space->second.end())
            continue;
        for (const std::string& name : names->second)
            if (matches(services_.at({pod.name.space, name}).selector, pod.labels))
                found.push_back({pod.name.space, name});
    }
    return found;
}

}  // namespace api
