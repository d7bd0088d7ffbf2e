#include "proxy/engine/wish_list.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "proxy/engine/sort_unique.hpp"

namespace proxy {
namespace {

using netlink::Element;
using netlink::VirtualServer;

template <class T>
void append(std::vector<T>& to, std::vector<T> from) {
    if (to.empty())
        to = std::move(from);
    else
        to.insert(to.end(), from.begin(), from.end());
}

/// One more user of each; a first user touches the object.
template <class T>
void use_each(std::map<T, std::uint32_t>& users, const std::vector<T>& wanted, std::vector<T>& touched) {
    for (const T& object : wanted)
        if (users[object]++ == 0)
            touched.push_back(object);
}

template <class T>
void release_each(std::map<T, std::uint32_t>& users, const std::vector<T>& wanted, std::vector<T>& touched) {
    for (const T& object : wanted) {
        const auto found = users.find(object);
        if (--found->second == 0) {
            users.erase(found);
            touched.push_back(object);
        }
    }
}

/// The keys of both, each once and in their order.
template <class Wanted, class T>
std::vector<T> keys_of_both(const Wanted& wanted, const std::set<T>& actual) {
    std::vector<T> keys(actual.begin(), actual.end());
    for (const auto& entry : wanted)
        keys.push_back(entry.first);
    sort_unique(keys);
    return keys;
}

/// Adds what is wanted and missing, removes what is there and not wanted: `removal` says by which change.
template <class Add, class T, class Removal>
void correct(const std::vector<T>& touched, const WishList& list, const std::set<T>& actual, Removal removal,
             std::vector<netlink::Change>& changes) {
    for (const T& object : touched) {
        const bool wanted = list.wants(object);
        if (wanted == actual.contains(object))
            continue;
        if (wanted)
            changes.emplace_back(Add{object});
        else
            changes.push_back(removal(object));
    }
}

}  // namespace

bool goes_first(const netlink::Element& element, const WishList& list) {
    if (is_map(element.set))
        return true;
    return (element.set == netlink::Set::firewalled || element.set == netlink::Set::allowed) &&
           list.find({element.address, element.protocol, element.port}) != nullptr;
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

void WishList::put(const VirtualServer& server, netlink::VirtualServerState state) {
    const auto [entry, added] = servers_.try_emplace(server);
    if (!added && entry->second == state)
        return;
    entry->second = std::move(state);
    touched_.virtual_servers.push_back(server);
}

void WishList::drop(const VirtualServer& server) {
    if (servers_.erase(server) > 0)
        touched_.virtual_servers.push_back(server);
}

void WishList::drop(const VirtualServer& server, const netlink::RealServer& real) {
    const auto found = servers_.find(server);
    if (found != servers_.end() && found->second.real_servers.erase(real) > 0)
        touched_.virtual_servers.push_back(server);
}

void WishList::use(const std::vector<netlink::LocalRoute>& routes, const std::vector<Element>& elements) {
    use_each(routes_, routes, touched_.routes);
    use_each(elements_, elements, touched_.elements);
}

void WishList::release(const std::vector<netlink::LocalRoute>& routes, const std::vector<Element>& elements) {
    release_each(routes_, routes, touched_.routes);
    release_each(elements_, elements, touched_.elements);
}

const netlink::VirtualServerState* WishList::find(const VirtualServer& server) const {
    const auto found = servers_.find(server);
    return found == servers_.end() ? nullptr : &found->second;
}

void WishList::end_slice() {
    if (touched_.empty())
        return;
    touched_.tidy();
    slices_.push_back(std::exchange(touched_, {}));
}

std::size_t WishList::touched_count() const {
    std::size_t count = touched_.size();
    for (const Touched& slice : slices_)
        count += slice.size();
    return count;
}

Touched WishList::exchange_touched() {
    if (slices_.empty())
        return std::exchange(touched_, {});
    Touched slice = std::move(slices_.front());
    slices_.pop_front();
    return slice;
}

Touched all_objects(const WishList& wanted, const netlink::KernelState& actual) {
    std::set<VirtualServer> present;
    for (const auto& [server, state] : actual.virtual_servers)
        present.insert(present.end(), server);
    return {keys_of_both(wanted.virtual_servers(), present), keys_of_both(wanted.routes(), actual.routes),
            keys_of_both(wanted.elements(), actual.elements)};
}

std::vector<netlink::Change> changes_for(const Touched& touched, const WishList& wish_list,
                                         const netlink::KernelState& actual) {
    std::vector<netlink::Change> changes;
    changes.reserve(touched.size());
    for (const netlink::VirtualServer& server : touched.virtual_servers) {
        const auto present = actual.virtual_servers.find(server);
        netlink::diff_virtual_server(server, wish_list.find(server),
                                     present == actual.virtual_servers.end() ? nullptr : &present->second, changes);
    }
    const auto delete_route = [](const netlink::LocalRoute& route) -> netlink::Change {
        return netlink::DeleteRoute{route};
    };
    const auto remove_element = [&](const Element& element) -> netlink::Change {
        if (goes_first(element, wish_list))
            return netlink::WithdrawElement{element};
        return netlink::DeleteElement{element};
    };
    correct<netlink::AddRoute>(touched.routes, wish_list, actual.routes, delete_route, changes);
    correct<netlink::AddElement>(touched.elements, wish_list, actual.elements, remove_element, changes);
    netlink::order(changes);
    return changes;
}

}  // namespace proxy
