// Which other nodes carry endpoints of Services, and at which addresses they are: these are worth a check. Nobody
// watches Nodes for it. Pure.
//
// Addresses are those of the EndpointSlices of one headless Service, which selects podferry's own pods: they are in
// the network of their nodes. Of a node that it does not name, somebody may look up the Node (unknown()).
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "api/objects/store.hpp"

namespace proxy {

class NodeRoll {
public:
    /// `own`: this node, which is left out. `service`: whose slices name nodes' addresses; an empty name: none's.
    NodeRoll(std::string own, api::ObjectName service) : own_(std::move(own)), service_(std::move(service)) {}

    /// `before`: what is in force before the transaction. Costs what the transaction is.
    void apply(const api::Transaction& transaction, const api::Store& before);
    /// What its Node object says, of one that is unknown. Counts until the Service's slices name it.
    void put(const std::string& node, const base::Address& address);

    /// What has changed since the last call: where nodes are to be checked; nullopt: no more.
    std::map<std::string, std::optional<base::Address>> exchange_changed();
    /// Nodes that carry endpoints and whose address nobody has said.
    const std::set<std::string>& unknown() const { return unknown_; }
    /// It is to be checked.
    bool contains(const std::string& node) const { return told_.contains(node); }
    /// One of those that are to be checked has it. Costs what they are.
    bool has_address(const base::Address& address) const;

private:
    struct Known {
        std::size_t uses = 0;                         // endpoints, and pods where Services select them
        std::map<base::Address, std::size_t> slices;  // addresses, and how many endpoints say so; IPv4 is first
        std::optional<base::Address> object;
        bool empty() const { return uses == 0 && slices.empty(); }
    };

    void count(const api::EndpointSlice& slice, bool add);
    void count(const std::string& node, bool add);
    void settle(const std::string& node);

    std::string own_;
    api::ObjectName service_;
    std::unordered_map<std::string, Known> nodes_;
    std::set<std::string> touched_;
    std::map<std::string, base::Address> told_;
    std::set<std::string> unknown_;
    std::map<std::string, std::optional<base::Address>> changed_;
};

/// Services that have endpoints on these nodes. Costs what all slices are.
std::set<api::ObjectName> services_on(const std::set<std::string>& nodes, const api::Store& store);

}  // namespace proxy
