// What all services together want of the kernel. Knows which service wants what, so that a change costs what it
// touches: replacing one service's plan marks only the objects that the old and the new plan name. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "api/types.hpp"
#include "netlink/state.hpp"
#include "proxy/plan.hpp"

namespace proxy {

/// Kernel objects whose desired or actual state may have changed. Vectors, because they are written often and read
/// once.
struct Touched {
    std::vector<netlink::VirtualServer> virtual_servers;
    std::vector<netlink::LocalRoute> routes;
    std::vector<netlink::Element> elements;

    void add(Touched other);
    /// Sorted, each once.
    void tidy();
};

/// A virtual server that a service wants and another one has.
struct Conflict {
    netlink::VirtualServer server;
    api::ObjectName owner;
};

class Desired {
public:
    /// Puts `plan` in the place of the service's former plan. Virtual servers that another service has are left out
    /// and returned; that service's plan stands until it is replaced. An empty name stands for the node itself.
    std::vector<Conflict> replace(const api::ObjectName& service, ServicePlan plan);

    /// Equivalent to replacing by an empty plan, and forgets the name.
    void remove(const api::ObjectName& service);

    /// What has been touched since the last call.
    Touched take_touched();

    /// nullptr when nobody wants it.
    const netlink::VirtualServerState* find(const netlink::VirtualServer& server) const;
    const api::ObjectName* owner(const netlink::VirtualServer& server) const;
    bool wants(const netlink::LocalRoute& route) const { return routes_.contains(route); }
    bool wants(const netlink::Element& element) const { return elements_.contains(element); }

    std::size_t virtual_server_count() const { return servers_.size(); }

    /// Virtual servers of one service.
    std::vector<netlink::VirtualServer> servers_of(const api::ObjectName& service) const;

private:
    struct Owned {
        netlink::VirtualServerState state;
        api::ObjectName owner;
    };
    struct Keys {
        std::vector<netlink::VirtualServer> servers;
        std::vector<netlink::LocalRoute> routes;
        std::vector<netlink::Element> elements;
    };

    void let_go(const Keys& keys);

    std::map<netlink::VirtualServer, Owned> servers_;
    std::map<netlink::LocalRoute, std::uint32_t> routes_;  // how many services want it
    std::map<netlink::Element, std::uint32_t> elements_;   // how many services want it
    std::map<api::ObjectName, Keys> keys_;
    Touched touched_;
};

/// The changes that bring the touched objects of `actual` to what is desired, in safe order. `touched` is tidy.
std::vector<netlink::Change> changes_for(const Touched& touched, const Desired& desired,
                                         const netlink::KernelState& actual);

}  // namespace proxy
