#include "proxy/desired.hpp"

#include <algorithm>

namespace proxy {
namespace {

template <class T>
void sort_unique(std::vector<T>& values) {
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    values.shrink_to_fit();
}

template <class T>
void append(std::vector<T>& to, std::vector<T> from) {
    if (to.empty())
        to = std::move(from);
    else
        to.insert(to.end(), from.begin(), from.end());
}

/// One more user of each; a first user touches the object.
template <class T>
void use(std::map<T, std::uint32_t>& users, const std::vector<T>& wanted, std::vector<T>& touched) {
    for (const T& object : wanted)
        if (users[object]++ == 0)
            touched.push_back(object);
}

template <class T>
void unuse(std::map<T, std::uint32_t>& users, const std::vector<T>& wanted, std::vector<T>& touched) {
    for (const T& object : wanted) {
        const auto found = users.find(object);
        if (--found->second == 0) {
            users.erase(found);
            touched.push_back(object);
        }
    }
}

/// Adds what is wanted and missing, deletes what is there and not wanted.
template <class Add, class Delete, class T>
void correct(const std::vector<T>& touched, const Desired& desired, const std::set<T>& actual,
             std::vector<netlink::Change>& changes) {
    for (const T& object : touched) {
        const bool wanted = desired.wants(object);
        if (wanted == actual.contains(object))
            continue;
        if (wanted)
            changes.emplace_back(Add{object});
        else
            changes.emplace_back(Delete{object});
    }
}

/// A map's element, because its key may come again with another mark; what a front end that stays was restricted to,
/// because its new ranges may overlap the old ones and nobody must see half of them.
bool goes_first(const netlink::Element& element, const Desired& desired) {
    if (is_map(element.set))
        return true;
    return (element.set == netlink::Set::firewalled || element.set == netlink::Set::allowed) &&
           desired.find({element.address, element.protocol, element.port}) != nullptr;
}

}  // namespace

void Touched::add(Touched other) {
    append(virtual_servers, std::move(other.virtual_servers));
    append(routes, std::move(other.routes));
    append(elements, std::move(other.elements));
}

void Touched::tidy() {
    sort_unique(virtual_servers);
    sort_unique(routes);
    sort_unique(elements);
}

std::vector<Conflict> Desired::replace(const api::ObjectName& service, ServicePlan plan) {
    std::vector<Conflict> conflicts;
    sort_unique(plan.routes);
    sort_unique(plan.elements);
    Keys keys;
    keys.routes = std::move(plan.routes);
    keys.elements = std::move(plan.elements);
    // First take, then let go: what both plans want never falls to zero users in between.
    use(routes_, keys.routes, touched_.routes);
    use(elements_, keys.elements, touched_.elements);
    const auto former = keys_.find(service);
    Keys old = former == keys_.end() ? Keys{} : std::move(former->second);
    for (auto& [server, state] : plan.virtual_servers) {
        const auto [entry, added] = servers_.try_emplace(server, Owned{{}, service});
        if (entry->second.owner != service) {
            conflicts.push_back({server, entry->second.owner});
            continue;
        }
        keys.servers.push_back(server);
        if (added || entry->second.state != state) {
            entry->second.state = std::move(state);
            touched_.virtual_servers.push_back(server);
        }
    }
    sort_unique(keys.servers);
    std::erase_if(old.servers, [&](const netlink::VirtualServer& server) {
        return std::binary_search(keys.servers.begin(), keys.servers.end(), server);
    });
    let_go(old);
    keys_[service] = std::move(keys);
    return conflicts;
}

void Desired::remove(const api::ObjectName& service) {
    const auto found = keys_.find(service);
    if (found == keys_.end())
        return;
    let_go(found->second);
    keys_.erase(found);
}

void Desired::let_go(const Keys& keys) {
    for (const netlink::VirtualServer& server : keys.servers) {
        servers_.erase(server);
        touched_.virtual_servers.push_back(server);
    }
    unuse(routes_, keys.routes, touched_.routes);
    unuse(elements_, keys.elements, touched_.elements);
}

Touched Desired::take_touched() {
    return std::exchange(touched_, {});
}

const netlink::VirtualServerState* Desired::find(const netlink::VirtualServer& server) const {
    const auto found = servers_.find(server);
    return found == servers_.end() ? nullptr : &found->second.state;
}

const api::ObjectName* Desired::owner(const netlink::VirtualServer& server) const {
    const auto found = servers_.find(server);
    return found == servers_.end() ? nullptr : &found->second.owner;
}

std::vector<netlink::VirtualServer> Desired::servers_of(const api::ObjectName& service) const {
    const auto found = keys_.find(service);
    return found == keys_.end() ? std::vector<netlink::VirtualServer>{} : found->second.servers;
}

std::vector<netlink::Change> changes_for(const Touched& touched, const Desired& desired,
                                         const netlink::KernelState& actual) {
    std::vector<netlink::Change> changes;
    changes.reserve(touched.virtual_servers.size() + touched.routes.size() + touched.elements.size());
    for (const netlink::VirtualServer& server : touched.virtual_servers) {
        const auto present = actual.virtual_servers.find(server);
        netlink::diff_virtual_server(server, desired.find(server),
                                     present == actual.virtual_servers.end() ? nullptr : &present->second, changes);
    }
    correct<netlink::AddRoute, netlink::DeleteRoute>(touched.routes, desired, actual.routes, changes);
    for (const netlink::Element& element : touched.elements) {
        const bool wanted = desired.wants(element);
        if (wanted == actual.elements.contains(element))
            continue;
        if (wanted)
            changes.emplace_back(netlink::AddElement{element});
        else if (goes_first(element, desired))
            changes.emplace_back(netlink::WithdrawElement{element});
        else
            changes.emplace_back(netlink::DeleteElement{element});
    }
    netlink::order(changes);
    return changes;
}

}  // namespace proxy
