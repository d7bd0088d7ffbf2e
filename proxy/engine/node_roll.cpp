#include "proxy/engine/node_roll.hpp"

#include <algorithm>
#include <variant>
#include <vector>

namespace proxy {
namespace {

/// The last word of a transaction on each object of a kind: removals come first, as for the store.
template <class T>
std::map<api::ObjectName, const T*> last_words(const api::Transaction& transaction, api::Kind kind) {
    std::map<api::ObjectName, const T*> last;
    for (const api::Removal& removal : transaction.removals)
        if (removal.kind == kind)
            last[removal.name] = nullptr;
    for (const api::Upsert& upsert : transaction.upserts)
        if (const auto* object = std::get_if<T>(&upsert.object))
            last[object->name] = object;
    return last;
}

}  // namespace

void NodeRoll::count(const std::string& node, bool add) {
    if (node.empty() || node == own_)
        return;
    Known& known = nodes_[node];
    known.uses += add ? 1 : -1;
    if (known.uses == (add ? 1 : 0))
        touched_.insert(node);
}

void NodeRoll::count(const api::EndpointSlice& slice, bool add) {
    const bool names_nodes =
        !service_.name.empty() && slice.service == service_.name && slice.name.space == service_.space;
    for (const api::Endpoint& endpoint : slice.endpoints) {
        const std::string& node = *endpoint.node_name;
        if (!names_nodes) {
            count(node, add);
            continue;
        }
        if (node.empty() || node == own_)
            continue;
        auto& addresses = nodes_[node].slices;
        std::size_t& times = addresses[endpoint.address];
        times += add ? 1 : -1;
        if (times == 0)
            addresses.erase(endpoint.address);
        touched_.insert(node);
    }
}

void NodeRoll::apply(const api::Transaction& transaction, const api::Store& before) {
    for (const auto& [name, slice] : last_words<api::EndpointSlice>(transaction, api::Kind::endpoint_slice)) {
        if (const auto former = before.slices().find(name); former != before.slices().end())
            count(*former, false);
        if (slice != nullptr)
            count(*slice, true);
    }
    for (const auto& [name, pod] : last_words<api::Pod>(transaction, api::Kind::pod)) {
        if (const auto former = before.pods().find(name); former != before.pods().end())
            count(former->node_name, false);
        if (pod != nullptr)
            count(pod->node_name, true);
    }
    for (const std::string& node : std::exchange(touched_, {}))
        settle(node);
}

void NodeRoll::put(const std::string& node, const base::Address& address) {
    const auto known = nodes_.find(node);
    if (known == nodes_.end())
        return;
    known->second.object = address;
    settle(node);
}

void NodeRoll::settle(const std::string& node) {
    const Known& known = nodes_.at(node);
    std::optional<base::Address> address;
    if (known.uses > 0)
        address = known.slices.empty() ? known.object : std::optional(known.slices.begin()->first);
    if (known.uses > 0 && !address)
        unknown_.insert(node);
    else
        unknown_.erase(node);
    const auto told = told_.find(node);
    if (!address && told != told_.end()) {
        told_.erase(told);
        changed_[node] = std::nullopt;
    } else if (address && (told == told_.end() || told->second != *address)) {
        told_[node] = *address;
        changed_[node] = address;
    }
    if (known.empty())
        nodes_.erase(node);
}

std::map<std::string, std::optional<base::Address>> NodeRoll::exchange_changed() {
    return std::exchange(changed_, {});
}

bool NodeRoll::has_address(const base::Address& address) const {
    return std::any_of(told_.begin(), told_.end(), [&](const auto& node) { return node.second == address; });
}

std::set<api::ObjectName> services_on(const std::set<std::string>& nodes, const api::Store& store) {
    std::set<api::ObjectName> services;
    const auto add = [&](const api::ObjectName& name) {
        if (store.services().contains(name))  // a headless one is not there
            services.insert(name);
    };
    const std::vector<api::Shared<std::string>> names(nodes.begin(), nodes.end());
    for (const api::EndpointSlice& slice : store.slices())
        if (std::any_of(slice.endpoints.begin(), slice.endpoints.end(), [&](const api::Endpoint& endpoint) {
                return std::find(names.begin(), names.end(), endpoint.node_name) != names.end();
            }))
            add({slice.name.space, slice.service});
    for (const api::Pod& pod : store.pods())
        if (nodes.contains(pod.node_name))
            for (const api::ObjectName& name : store.services_selecting(pod))
                add(name);
    return services;
}

}  // namespace proxy
