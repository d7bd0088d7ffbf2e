#include "api/objects/store.hpp"

#include <algorithm>
#include <tuple>

namespace api {
namespace {

bool matches(const Labels& selector, const Labels& labels) {
    return std::all_of(selector.begin(), selector.end(), [&](const auto& wanted) {
        const auto found = labels.find(wanted.first);
        return found != labels.end() && found->second == wanted.second;
    });
}

/// Takes a name out of the set of names under a key, and the set with its last name: labels come and go with every
/// rollout, and must not pile up.
template <class Map, class Key>
void erase_name(Map& names_by_key, const Key& key, const std::string& name) {
    const auto names = names_by_key.find(key);
    if (names == names_by_key.end())
        return;
    names->second.erase(name);
    if (names->second.empty())
        names_by_key.erase(names);
}

/// True when what is put is what is there already: nobody is affected. An API server tells of many changes in which
/// there is none for us: a Node's heartbeat, a Service's status, labels of others.
template <class T>
bool is_known(const Objects<T>& objects, const T& object) {
    const auto found = objects.find(object.name);
    return found != objects.end() && *found == object;
}

/// When it was changed is no matter of who is affected.
bool says_the_same(const EndpointSlice& a, const EndpointSlice& b) {
    return a.name == b.name && a.service == b.service && a.family == b.family && a.ports == b.ports &&
           a.endpoints == b.endpoints;
}

template <class T>
void drop(Objects<T>& objects, const ObjectName& name) {
    if (const auto found = objects.find(name); found != objects.end())
        objects.erase(found);
}

}  // namespace

bool Store::ByService::operator()(const EndpointSlice* a, const EndpointSlice* b) const {
    return std::tie(a->name.space, a->service, a->name.name) < std::tie(b->name.space, b->service, b->name.name);
}

bool Store::ByService::operator()(const EndpointSlice* slice, const ObjectName& service) const {
    return std::tie(slice->name.space, slice->service) < std::tie(service.space, service.name);
}

bool Store::ByService::operator()(const ObjectName& service, const EndpointSlice* slice) const {
    return std::tie(service.space, service.name) < std::tie(slice->name.space, slice->service);
}

Affected Store::apply(Transaction transaction) {
    Affected affected;
    for (const Removal& removal : transaction.removals)
        remove(removal, affected);
    for (Upsert& upsert : transaction.upserts)
        std::visit([&](auto& object) { put(std::move(object), affected); }, upsert.object);
    return affected;
}

void Store::put(Service service, Affected& affected) {
    if (is_known(services_, service))
        return;
    drop_service(service.name);
    affected.insert(service.name);
    if (!service.selector.empty())
        services_by_label_[service.name.space][*service.selector.begin()].insert(service.name.name);
    services_.insert(std::move(service));
}

void Store::put(EndpointSlice slice, Affected& affected) {
    if (const auto found = slices_.find(slice.name); found != slices_.end() && says_the_same(*found, slice))
        return;
    drop_slice(slice.name, affected);
    const EndpointSlice& put = *slices_.insert(std::move(slice)).first;
    if (put.service.empty())
        return;
    affected.insert({put.name.space, put.service});
    slices_of_.insert(&put);
}

void Store::put(Pod pod, Affected& affected) {
    if (is_known(pods_, pod))
        return;
    drop_pod(pod.name, affected);
    for (const auto& label : pod.labels)
        pods_by_label_[pod.name.space][label].insert(pod.name.name);
    affect_selecting(pod, affected);
    pods_.insert(std::move(pod));
}

void Store::put(Node node, Affected& affected) {
    if (is_known(nodes_, node))
        return;
    const auto found = nodes_.find(node.name);
    if (found == nodes_.end() || found->addresses != node.addresses)
        affect_pods_on(node.name, affected);
    drop(nodes_, node.name);
    nodes_.insert(std::move(node));
}

void Store::put(ServiceCidr cidr, Affected&) {
    drop(service_cidrs_, cidr.name);
    service_cidrs_.insert(std::move(cidr));
}

void Store::remove(const Removal& removal, Affected& affected) {
    switch (removal.kind) {
        case Kind::service:
            drop_service(removal.name);
            affected.insert(removal.name);
            break;
        case Kind::endpoint_slice:
            drop_slice(removal.name, affected);
            break;
        case Kind::pod:
            drop_pod(removal.name, affected);
            break;
        case Kind::node:
            affect_pods_on(removal.name, affected);
            drop(nodes_, removal.name);
            break;
        case Kind::service_cidr:
            drop(service_cidrs_, removal.name);
            break;
    }
}

void Store::drop_service(const ObjectName& name) {
    const auto found = services_.find(name);
    if (found == services_.end())
        return;
    if (!found->selector.empty())
        erase_name(services_by_label_[name.space], *found->selector.begin(), name.name);
    services_.erase(found);
}

void Store::drop_slice(const ObjectName& name, Affected& affected) {
    const auto found = slices_.find(name);
    if (found == slices_.end())
        return;
    if (slices_of_.erase(&*found) > 0)
        affected.insert({name.space, found->service});
    slices_.erase(found);
}

void Store::drop_pod(const ObjectName& name, Affected& affected) {
    const auto found = pods_.find(name);
    if (found == pods_.end())
        return;
    affect_selecting(*found, affected);
    for (const auto& label : found->labels)
        erase_name(pods_by_label_[name.space], label, name.name);
    pods_.erase(found);
}

void Store::affect_selecting(const Pod& pod, Affected& affected) const {
    for (ObjectName& service : services_selecting(pod))
        affected.insert(std::move(service));
}

/// Pods in the host's network have the addresses of their Node.
void Store::affect_pods_on(const ObjectName& node, Affected& affected) const {
    for (const Pod& pod : pods_)
        if (pod.host_network && pod.node_name == node.name)
            affect_selecting(pod, affected);
}

std::vector<const EndpointSlice*> Store::slices_of(const ObjectName& service) const {
    const auto [first, last] = slices_of_.equal_range(service);
    return {first, last};
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
        const Pod& pod = *pods_.find(ObjectName{service.name.space, name});
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
            if (matches(services_.find(ObjectName{pod.name.space, name})->selector, pod.labels))
                found.push_back({pod.name.space, name});
    }
    return found;
}

}  // namespace api
