#include "proxy/desired.hpp"

#include <algorithm>
#include <tuple>

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

bool is_older(const std::pair<const api::ObjectName, Age>& a, const std::pair<const api::ObjectName, Age>& b) {
    using Rank = std::tuple<bool, std::chrono::sys_seconds, std::uint64_t, const api::ObjectName&>;
    const auto rank = [](const std::pair<const api::ObjectName, Age>& wish) {
        const bool known = wish.second.created != std::chrono::sys_seconds{};
        return Rank(!known, wish.second.created, known ? 0 : wish.second.round, wish.first);
    };
    return rank(a) < rank(b);
}

}  // namespace

std::string to_string(const Conflict& conflict) {
    return netlink::to_string(conflict.server) + " is already served for Service " + api::to_string(conflict.owner) +
           ", whose claim is older; this front end waits until that one goes or is given another address or port";
}

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
    for (auto& [server, state] : plan.virtual_servers) {
        keys.servers.push_back(server);
        has_all = take(server, std::move(state), service, age) && has_all;
    }
    sort_unique(keys.servers);
    if (!has_all)
        leave_out_lost(service, keys, plan.elements);
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
                   const api::ObjectName& service, const Age& age) {
    const auto [entry, added] = servers_.try_emplace(server, Owned{{}, service, age});
    Owned& owned = entry->second;
    const bool contested = owned.owner != service || (!waiting_.empty() && waiting_.contains(server));
    if (contested && !contend(server, owned, service, age))
        return false;
    owned.age.created = age.created;
    if (added || owned.state != state) {
        owned.state = std::move(state);
        touched_.virtual_servers.push_back(server);
    }
    return true;
}

/// Adds who has it and the service, which is where the result points, to those that wait.
Desired::Waiting::iterator Desired::join(Waiting& all, const Owned& owned, const api::ObjectName& service,
                                         const Age& age) {
    all.try_emplace(owned.owner, owned.age);
    const auto mine = all.try_emplace(service, age).first;
    mine->second.created = age.created;
    return mine;
}

/// Of all that want it the oldest has it. One that waits and is the oldest brings its state when it is replaced.
bool Desired::contend(const netlink::VirtualServer& server, Owned& owned, const api::ObjectName& service,
                      const Age& age) {
    Waiting& all = waiting_[server];
    const auto mine = join(all, owned, service, age);
    const auto oldest = std::min_element(all.begin(), all.end(), is_older);
    if (oldest == mine) {
        if (owned.owner != service)
            unsettled_.insert(std::exchange(owned.owner, service));
        owned.age = mine->second;
        all.erase(mine);
        if (all.empty())
            waiting_.erase(server);
        return true;
    }
    if (oldest->first == owned.owner) {
        all.erase(oldest);
    } else {
        unsettled_.insert(oldest->first);
        servers_.erase(server);
        touched_.virtual_servers.push_back(server);
    }
    return false;
}

bool Desired::will_have(const netlink::VirtualServer& server, const api::ObjectName& service, const Age& age) const {
    const auto held = servers_.find(server);
    const auto waiting = waiting_.find(server);
    if (held == servers_.end() || (held->second.owner == service && waiting == waiting_.end()))
        return true;
    Waiting all = waiting == waiting_.end() ? Waiting{} : waiting->second;
    const auto mine = join(all, held->second, service, age);
    return std::min_element(all.begin(), all.end(), is_older) == mine;
}

bool Desired::has(const api::ObjectName& service, const netlink::VirtualServer& server) const {
    const api::ObjectName* name = owner(server);
    return name != nullptr && *name == service;
}

/// An element with an address and a port belongs to that front end. One of a node port belongs to all of the node's
/// addresses, and goes when none of them is left.
void Desired::leave_out_lost(const api::ObjectName& service, const Keys& keys,
                             std::vector<netlink::Element>& elements) const {
    const auto is_lost = [&](const netlink::Element& element) {
        if (!has_port(element.set))
            return false;
        bool lost = false;
        for (const netlink::VirtualServer& server : keys.servers) {
            const bool belongs =
                server.protocol == element.protocol && server.port == element.port &&
                (has_address(element.set) ? server.address == element.address
                                          : wants({netlink::Set::node_address, server.address, {}, 0}));
            if (belongs && has(service, server))
                return false;
            lost = lost || belongs;
        }
        return lost;
    };
    std::erase_if(elements, is_lost);
}

void Desired::withdraw(const netlink::VirtualServer& server, const api::ObjectName& service) {
    auto waiting = waiting_.find(server);
    if (waiting != waiting_.end() && waiting->second.erase(service) > 0 && waiting->second.empty())
        waiting = (waiting_.erase(waiting), waiting_.end());
    const auto held = servers_.find(server);
    if (held != servers_.end()) {
        if (held->second.owner != service)
            return;
        servers_.erase(held);
        touched_.virtual_servers.push_back(server);
    }
    if (waiting != waiting_.end())
        unsettled_.insert(std::min_element(waiting->second.begin(), waiting->second.end(), is_older)->first);
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
    for (const auto& [server, waiting] : waiting_)
        if (const api::ObjectName* holder = owner(server))
            for (const auto& [service, age] : waiting)
                conflicts.push_back({server, service, *holder});
    return conflicts;
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
    if (found == keys_.end())
        return {};
    std::vector<netlink::VirtualServer> servers = found->second.servers;
    if (!waiting_.empty())
        std::erase_if(servers, [&](const netlink::VirtualServer& server) { return !has(service, server); });
    return servers;
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
