// The kernel's state as a value, the difference of two virtual servers, and how a change advances a state. All pure.
#pragma once

#include "netlink/objects.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace netlink {

/// Real servers of one virtual server, with their weights (0: no new connections).
using RealServers = std::map<RealServer, int>;

/// Connections that each real server of one virtual server has, active and inactive ones (those that are closing, and
/// UDP's); templates of persistence are not among them.
using ConnectionCounts = std::map<RealServer, std::uint64_t>;

struct VirtualServerState {
    VirtualServerSettings settings;
    RealServers real_servers;
    bool operator==(const VirtualServerState&) const = default;
};

struct KernelState {
    std::map<VirtualServer, VirtualServerState> virtual_servers;
    std::set<LocalRoute> routes;
    std::set<Element> elements;
    bool operator==(const KernelState&) const = default;
};

/// The changes that turn one virtual server from `actual` into `desired`; nullptr stands for "none". Appends to
/// `changes`.
void diff_virtual_server(const VirtualServer& key, const VirtualServerState* desired, const VirtualServerState* actual,
                         std::vector<Change>& changes);

/// Sorts changes into the order in which applying them is safe: elements, virtual servers, real servers, routes are
/// added in this order and removed in the reverse one; elements that capture packets come and go with the routes.
/// Stable within a step.
void order(std::vector<Change>& changes);

/// What the state is after the kernel has accepted `change`.
void advance(KernelState& state, const Change& change);

}  // namespace netlink
