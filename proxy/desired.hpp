// What all services together want of the kernel. Knows which service wants what, so that a change costs what it
// touches: replacing one service's plan marks only the objects that the old and the new plan name. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
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

/// Which of several services that want the same virtual server has it: the one that was created first. Those of which
/// that is not known (manifests) come after those of which it is; among them, the one that has wanted it for longer.
/// Names decide what is left.
struct Age {
    std::chrono::sys_seconds created;  ///< metadata.creationTimestamp; the epoch: not known
    std::uint64_t round = 0;           ///< counts up: of two wishes that of the lower round is the older
};

/// A virtual server that a service wants and another one has.
struct Conflict {
    netlink::VirtualServer server;
    api::ObjectName service;
    api::ObjectName owner;
    auto operator<=>(const Conflict&) const = default;
};

/// What it means for `service` and what to do, for people.
std::string to_string(const Conflict& conflict);

class Desired {
public:
    /// Puts `plan` in the place of the service's former plan. Virtual servers that an older service wants are left out
    /// with the elements that belong to them; those of a younger service are taken from it. An empty name stands for
    /// the node itself.
    void replace(const api::ObjectName& service, ServicePlan plan, const Age& age = {});

    /// Equivalent to replacing by an empty plan, and forgets the name.
    void remove(const api::ObjectName& service);

    /// One real server less; nothing when it is not there.
    void drop(const netlink::VirtualServer& server, const netlink::RealServer& real);

    /// Services that have lost a virtual server to an older one, or can have one by now, since the last call. They are
    /// to be replaced by a plan again before changes_for(): until then a virtual server that has become free is
    /// nobody's.
    std::set<api::ObjectName> take_unsettled();

    /// By virtual server.
    std::vector<Conflict> conflicts() const;

    /// What has been touched since the last call.
    Touched take_touched();

    /// nullptr when nobody wants it.
    const netlink::VirtualServerState* find(const netlink::VirtualServer& server) const;
    const api::ObjectName* owner(const netlink::VirtualServer& server) const;
    /// Whether the service has the virtual server, or will when it is replaced by a plan with it.
    bool will_have(const netlink::VirtualServer& server, const api::ObjectName& service, const Age& age) const;
    bool wants(const netlink::LocalRoute& route) const { return routes_.contains(route); }
    bool wants(const netlink::Element& element) const { return elements_.contains(element); }

    std::size_t virtual_server_count() const { return servers_.size(); }

    /// Virtual servers that one service has.
    std::vector<netlink::VirtualServer> servers_of(const api::ObjectName& service) const;

private:
    struct Owned {
        netlink::VirtualServerState state;
        api::ObjectName owner;
        Age age;
    };
    struct Keys {
        std::vector<netlink::VirtualServer> servers;  // that it wants, whoever has them
        std::vector<netlink::LocalRoute> routes;
        std::vector<netlink::Element> elements;
    };
    using Waiting = std::map<api::ObjectName, Age>;

    bool take(const netlink::VirtualServer& server, netlink::VirtualServerState state, const api::ObjectName& service,
              const Age& age);
    static Waiting::iterator join(Waiting& all, const Owned& owned, const api::ObjectName& service, const Age& age);
    bool contend(const netlink::VirtualServer& server, Owned& owned, const api::ObjectName& service, const Age& age);
    bool has(const api::ObjectName& service, const netlink::VirtualServer& server) const;
    void leave_out_lost(const api::ObjectName& service, const Keys& keys,
                        std::vector<netlink::Element>& elements) const;
    void withdraw(const netlink::VirtualServer& server, const api::ObjectName& service);
    void let_go(const api::ObjectName& service, const Keys& keys);

    std::map<netlink::VirtualServer, Owned> servers_;
    std::map<netlink::VirtualServer, Waiting>
        waiting_;  // who wants what another one has: few, so they cost what they are
    std::set<api::ObjectName> unsettled_;
    std::map<netlink::LocalRoute, std::uint32_t> routes_;  // how many services want it
    std::map<netlink::Element, std::uint32_t> elements_;   // how many services want it
    std::map<api::ObjectName, Keys> keys_;
    Touched touched_;
};

/// The changes that bring the touched objects of `actual` to what is desired, in safe order. `touched` is tidy.
std::vector<netlink::Change> changes_for(const Touched& touched, const Desired& desired,
                                         const netlink::KernelState& actual);

}  // namespace proxy
