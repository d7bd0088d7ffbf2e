// What all services together want of the kernel. Knows which service wants what, so that a change costs what it
// touches: replacing one service's plan marks only the objects that the old and the new plan name. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "api/objects/types.hpp"
#include "netlink/state.hpp"
#include "proxy/plan/claim.hpp"
#include "proxy/plan/plan.hpp"

namespace proxy {

/// Kernel objects whose desired or actual state may have changed. Vectors, because they are written often and read
/// once.
struct Touched {
    std::vector<netlink::VirtualServer> virtual_servers;
    std::vector<netlink::LocalRoute> routes;
    std::vector<netlink::Element> elements;

    bool empty() const { return virtual_servers.empty() && routes.empty() && elements.empty(); }
    std::size_t size() const { return virtual_servers.size() + routes.size() + elements.size(); }
    void add(Touched other);
    /// Sorted, each once.
    void tidy();
};

class Desired {
public:
    /// Puts `plan` in the place of the service's former plan. Virtual servers of which another service's claim goes
    /// before (claim.hpp) are left out with the elements that belong to them; the others are taken from whom they
    /// belonged to. An empty name stands for the node itself. Costs what the former and the new plan are, times their
    /// logarithm, whatever the conflicts.
    void replace(const api::ObjectName& service, ServicePlan plan, const Age& age = {});

    /// Equivalent to replacing by an empty plan, and forgets the name.
    void remove(const api::ObjectName& service);

    /// One real server less; nothing when it is not there.
    void drop(const netlink::VirtualServer& server, const netlink::RealServer& real);

    /// Services that have lost a virtual server to another one, or can have one by now, since the last call. They are
    /// to be replaced by a plan again before changes_for(): until then a virtual server that has become free is
    /// nobody's.
    std::set<api::ObjectName> take_unsettled();

    /// By virtual server, then by the name of the service that waits.
    std::vector<Conflict> conflicts() const;
    std::vector<Conflict> conflicts_of(const netlink::VirtualServer& server) const;
    std::size_t conflict_count() const;
    /// Who has the virtual server that `service` wants too; nullptr: it has it itself, or does not want it.
    const api::ObjectName* waits_for(const netlink::VirtualServer& server, const api::ObjectName& service) const;
    /// Virtual servers of which who has it or who waits may have changed since the last call: what has changed of
    /// conflicts() is told by conflicts_of() these.
    std::set<netlink::VirtualServer> take_changed_conflicts();

    /// What has been touched since the last call, up to where a slice ended. With slices it is taken, compared and
    /// given to the kernel part by part: all of one plan is in one of them, so that the order within it is safe.
    Touched take_touched();
    bool has_touched() const { return !slices_.empty() || !touched_.empty(); }
    void end_slice();
    std::size_t touched_count() const;

    /// nullptr when nobody wants it.
    const netlink::VirtualServerState* find(const netlink::VirtualServer& server) const;
    const api::ObjectName* owner(const netlink::VirtualServer& server) const;
    /// Whether the service has the virtual server, or will when it is replaced by a plan with it.
    bool will_have(const netlink::VirtualServer& server, const api::ObjectName& service, const Claim& claim) const;
    bool wants(const netlink::LocalRoute& route) const { return routes_.contains(route); }
    bool wants(const netlink::Element& element) const { return elements_.contains(element); }

    std::size_t virtual_server_count() const { return servers_.size(); }

    /// Virtual servers that one service has.
    std::vector<netlink::VirtualServer> servers_of(const api::ObjectName& service) const;

private:
    struct Owned {
        netlink::VirtualServerState state;
        api::ObjectName owner;
        Claim claim;
    };
    struct Keys {
        std::vector<netlink::VirtualServer> servers;  // that it wants, whoever has them; sorted
        std::vector<netlink::LocalRoute> routes;
        std::vector<netlink::Element> elements;
    };

    bool take(const netlink::VirtualServer& server, netlink::VirtualServerState state, const api::ObjectName& service,
              const Claim& claim);
    bool contend(const netlink::VirtualServer& server, Owned& owned, const api::ObjectName& service,
                 const Claim& claim);
    bool has(const api::ObjectName& service, const netlink::VirtualServer& server) const;
    void withdraw(const netlink::VirtualServer& server, const api::ObjectName& service);
    void let_go(const api::ObjectName& service, const Keys& keys);

    std::map<netlink::VirtualServer, Owned> servers_;
    std::map<netlink::VirtualServer, Rivals> rivals_;  // who has it among them; few, so they cost what they are
    std::set<netlink::VirtualServer> changed_conflicts_;
    std::set<api::ObjectName> unsettled_;
    std::map<netlink::LocalRoute, std::uint32_t> routes_;  // how many services want it
    std::map<netlink::Element, std::uint32_t> elements_;   // how many services want it
    std::map<api::ObjectName, Keys> keys_;
    std::deque<Touched> slices_;
    Touched touched_;
};

/// What leave_out_lost() asks about.
struct FrontEndLookUp {
    std::function<bool(const netlink::VirtualServer&)> has;  ///< the service has it, of those that it wants
    std::function<bool(const Address&)> is_node_address;     ///< node ports are served there
};

/// Of the elements of a service those that belong to a front end which it has lost go. An element with an address and a
/// port belongs to that front end. One of a node port belongs to all of the node's addresses, and goes when none of
/// them is left. `wanted`: the front ends that the service wants, sorted. Asks once for each of both.
void leave_out_lost(const std::vector<netlink::VirtualServer>& wanted, const FrontEndLookUp& look_up,
                    std::vector<netlink::Element>& elements);

/// The changes that bring the touched objects of `actual` to what is desired, in safe order. `touched` is tidy.
std::vector<netlink::Change> changes_for(const Touched& touched, const Desired& desired,
                                         const netlink::KernelState& actual);

}  // namespace proxy
