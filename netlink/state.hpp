// The kernel's state as a value, the difference of two states, and how a change advances a state. All pure.
#pragma once

#include "netlink/objects.hpp"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace netlink {

/// Real servers of one virtual server, with their weights (0: no new connections).
using RealServers = std::map<RealServer, int>;

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

/// ipvsadm-save form, then routes, then elements; sorted. The form of expected values in tests and of --dump.
std::string to_text(const KernelState& state);

/// The changes that turn `actual` into `desired`, in the order in which applying them is safe:
/// elements, virtual servers, real servers, routes are added in this order and removed in the reverse one.
std::vector<Change> diff(const KernelState& desired, const KernelState& actual);

/// The same for one virtual server; nullptr stands for "none". Appends to `changes`.
void diff_virtual_server(const VirtualServer& key, const VirtualServerState* desired, const VirtualServerState* actual,
                         std::vector<Change>& changes);

/// Sorts changes into the safe order (stable within a step).
void order(std::vector<Change>& changes);

/// What the state is after the kernel has taken `change`.
void advance(KernelState& state, const Change& change);

}  // namespace netlink
