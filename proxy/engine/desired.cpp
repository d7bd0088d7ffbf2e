#include "proxy/engine/desired.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace proxy {
namespace {

using netlink::Element;
using netlink::VirtualServer;

template <class T>
void sort_unique(std::vector<T>& values) {
    if (!std::is_sorted(values.begin(), values.end()))
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

void Desired::replace(const api::ObjectName& service, ServicePlan plan, const Age& age) {
    const auto former = keys_.find(service);
    Keys old = former == keys_.end() ? Keys{} : std::move(former->second);
    Keys keys;
    bool has_all = true;
    keys.servers.reserve(plan.virtual_servers.size());
    for (auto& [server, state, kind] : plan.virtual_servers) {
        keys.servers.push_back(server);
        has_all = take(server, std::move(state), service, {kind, age}) && has_all;
    }
    sort_unique(keys.servers);
    if (!has_all)
        leave_out_lost(keys.servers,
                       {[&](const netlink::VirtualServer& server) { return has(service, server); },
                        [this](const Address& address) {
                            return wants({netlink::Set::node_address, address, netlink::Protocol::none, 0});
                        }},
                       plan.elements);
    sort_unique(plan.routes);
    sort_unique(plan.elements);
    keys.routes = std::move(plan.routes);
    keys.elements = std::move(plan.elements);
    // First take, then let go: what both plans want never falls to zero users in between.
    use(routes_, keys.routes, touched_.routes);
    use(elements_, keys.elements, touched_.elements);
    std::erase_if(old.servers, [&](const netlink::VirtualServer& server) {
        return std::binary_search(keys.servers.begin(), keys.servers.end(), server);
    });
    let_go(service, old);
    keys_[service] = std::move(keys);
}

void Desired::remove(const api::ObjectName& service) {
    const auto found = keys_.find(service);
    if (found == keys_.end())
        return;
    let_go(service, found->second);
    keys_.erase(found);
}

void Desired::drop(const netlink::VirtualServer& server, const netlink::RealServer& real) {
    const auto found = servers_.find(server);
    if (found != servers_.end() && found->second.state.real_servers.erase(real) > 0)
        touched_.virtual_servers.push_back(server);
}

/// True when the service has it from now on.
bool Desired::take(const netlink::VirtualServer& server, netlink::VirtualServerState state,
                   const api::ObjectName& service, const Claim& claim) {
    const auto [entry, added] = servers_.try_emplace(server, Owned{{}, service, claim});
    Owned& owned = entry->second;
    const bool contested = owned.owner != service || (!rivals_.empty() && rivals_.contains(server));
    if (contested && !contend(server, owned, service, claim))
        return false;
    owned.claim.kind = claim.kind;
    owned.claim.age.created = claim.age.created;
    if (added || owned.state != state) {
        owned.state = std::move(state);
        touched_.virtual_servers.push_back(server);
    }
    return true;
}

/// Of all that want it the first has it. One that waits and is the first brings its state when it is replaced.
bool Desired::contend(const netlink::VirtualServer& server, Owned& owned, const api::ObjectName& service,
                      const Claim& claim) {
    changed_conflicts_.insert(server);
    Rivals& all = rivals_[server];
    all.join(owned.owner, owned.claim);
    all.put(service, claim);
    const api::ObjectName& first = all.first();
    if (first == service) {
        if (owned.owner != service)
            unsettled_.insert(std::exchange(owned.owner, service));
        owned.claim = all.claim_of(service);
        if (all.size() == 1)
            rivals_.erase(server);
        return true;
    }
    if (first != owned.owner) {
        unsettled_.insert(first);
        servers_.erase(server);
        touched_.virtual_servers.push_back(server);
    }
    return false;
}

bool Desired::will_have(const netlink::VirtualServer& server, const api::ObjectName& service,
                        const Claim& claim) const {
    const auto held = servers_.find(server);
    const auto rivals = rivals_.find(server);
    if (held == servers_.end() || (held->second.owner == service && rivals == rivals_.end()))
        return true;
    if (rivals != rivals_.end())
        return rivals->second.would_be_first(service, claim);
    Rivals both;
    both.join(held->second.owner, held->second.claim);
    return both.would_be_first(service, claim);
}

bool Desired::has(const api::ObjectName& service, const netlink::VirtualServer& server) const {
    const api::ObjectName* name = owner(server);
    return name != nullptr && *name == service;
}

void Desired::withdraw(const netlink::VirtualServer& server, const api::ObjectName& service) {
    const auto rivals = rivals_.find(server);
    if (rivals != rivals_.end()) {
        rivals->second.remove(service);
        changed_conflicts_.insert(server);
    }
    const auto held = servers_.find(server);
    const bool held_by_other = held != servers_.end() && held->second.owner != service;
    if (held != servers_.end() && !held_by_other) {
        servers_.erase(held);
        touched_.virtual_servers.push_back(server);
    }
    if (rivals == rivals_.end())
        return;
    if (!held_by_other && rivals->second.size() > 0)
        unsettled_.insert(rivals->second.first());
    else if (rivals->second.size() <= 1)
        rivals_.erase(rivals);
}

void Desired::let_go(const api::ObjectName& service, const Keys& keys) {
    for (const netlink::VirtualServer& server : keys.servers)
        withdraw(server, service);
    unuse(routes_, keys.routes, touched_.routes);
    unuse(elements_, keys.elements, touched_.elements);
}

std::set<api::ObjectName> Desired::take_unsettled() {
    return std::exchange(unsettled_, {});
}

std::vector<Conflict> Desired::conflicts() const {
    std::vector<Conflict> conflicts;
    for (const auto& [server, rivals] : rivals_)
        for (Conflict& conflict : conflicts_of(server))
            conflicts.push_back(std::move(conflict));
    return conflicts;
}

std::vector<Conflict> Desired::conflicts_of(const netlink::VirtualServer& server) const {
    std::vector<Conflict> conflicts;
    const auto rivals = rivals_.find(server);
    const auto held = servers_.find(server);
    if (rivals == rivals_.end() || held == servers_.end())
        return conflicts;
    for (const auto& [service, claim] : rivals->second.all())
        if (service != held->second.owner)
            conflicts.push_back({server, service, held->second.owner, claim.kind, held->second.claim.kind});
    return conflicts;
}

const api::ObjectName* Desired::waits_for(const VirtualServer& server, const api::ObjectName& service) const {
    const auto rivals = rivals_.find(server);
    const api::ObjectName* holder = owner(server);
    const bool waits = rivals != rivals_.end() && rivals->second.all().contains(service);
    return waits && holder != nullptr && *holder != service ? holder : nullptr;
}

/// One of the rivals has it, once all is settled.
std::size_t Desired::conflict_count() const {
    std::size_t count = 0;
    for (const auto& [server, rivals] : rivals_)
        count += rivals.size() - 1;
    return count;
}

std::set<netlink::VirtualServer> Desired::take_changed_conflicts() {
    return std::exchange(changed_conflicts_, {});
}

void Desired::end_slice() {
    if (touched_.empty())
        return;
    touched_.tidy();
    slices_.push_back(std::exchange(touched_, {}));
}

std::size_t Desired::touched_count() const {
    std::size_t count = touched_.size();
    for (const Touched& slice : slices_)
        count += slice.size();
    return count;
}

Touched Desired::take_touched() {
    if (slices_.empty())
        return std::exchange(touched_, {});
    Touched slice = std::move(slices_.front());
    slices_.pop_front();
    return slice;
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
    if (found == keys_.end())
        return {};
    std::vector<netlink::VirtualServer> servers = found->second.servers;
    if (!rivals_.empty())
        std::erase_if(servers, [&](const netlink::VirtualServer& server) { return !has(service, server); });
    return servers;
}

void leave_out_lost(const std::vector<VirtualServer>& wanted, const FrontEndLookUp& look_up,
                    std::vector<netlink::Element>& elements) {
    const auto is_lost = [&](const VirtualServer& server) {
        return std::binary_search(wanted.begin(), wanted.end(), server) && !look_up.has(server);
    };
    // Protocols and ports at the node's addresses, and whether one of them is left.
    std::map<std::pair<netlink::Protocol, std::uint16_t>, bool> node_ports;
    if (std::any_of(elements.begin(), elements.end(), [](const Element& element) { return !has_address(element.set); }))
        for (const VirtualServer& server : wanted)
            if (server.mark == 0 && look_up.is_node_address(server.address)) {
                bool& left = node_ports[{server.protocol, server.port}];
                left = left || look_up.has(server);
            }
    std::erase_if(elements, [&](const Element& element) {
        if (!has_port(element.set))
            return false;
        if (has_address(element.set))
            return is_lost({element.address, element.protocol, element.port});
        const auto found = node_ports.find({element.protocol, element.port});
        return found != node_ports.end() && !found->second;
    });
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
