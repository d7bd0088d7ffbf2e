// What all Services together want of the kernel, by Service: which wants what, so that a change costs what it touches.
// Replacing one Service's plan marks only the objects that the old and the new plan name. Joins claims.hpp (who gets a
// front end) and wish_list.hpp (what is wanted then). Pure.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <vector>

#include "api/objects/types.hpp"
#include "netlink/state.hpp"
#include "proxy/engine/claims.hpp"
#include "proxy/engine/wish_list.hpp"
#include "proxy/plan/plan.hpp"

namespace proxy {

class Desired {
public:
    /// Puts `plan` in the place of the service's former plan. Virtual servers of which another service's claim goes
    /// before (claim.hpp) are left out with the elements that belong to them; the others are removed from whom they
    /// belonged to. An empty name stands for the node itself. Costs what the former and the new plan are, times their
    /// logarithm, whatever the conflicts.
    void replace(const api::ObjectName& service, ServicePlan plan, const Age& age = {});

    /// Equivalent to replacing by an empty plan, and forgets the name.
    void remove(const api::ObjectName& service);

    /// One real server less; nothing happens when it is not there.
    void drop(const netlink::VirtualServer& server, const netlink::RealServer& real) { wishes_.drop(server, real); }

    /// Services that have lost a virtual server to another one, or can have one by now, since the last call. They are
    /// to be replaced by a plan again before changes_for(): until then a virtual server that has become free is
    /// nobody's.
    std::set<api::ObjectName> exchange_unsettled() { return claims_.exchange_unsettled(); }

    /// nullptr when nobody wants it.
    const netlink::VirtualServerState* find(const netlink::VirtualServer& server) const { return wishes_.find(server); }
    const api::ObjectName* owner(const netlink::VirtualServer& server) const { return claims_.owner(server); }

    /// Virtual servers that one service has.
    std::vector<netlink::VirtualServer> servers_of(const api::ObjectName& service) const;

    Claims& claims() { return claims_; }
    const Claims& claims() const { return claims_; }
    WishList& wishes() { return wishes_; }
    const WishList& wishes() const { return wishes_; }

private:
    struct Keys {
        std::vector<netlink::VirtualServer> servers;  // that it wants, whoever has them; sorted
        std::vector<netlink::LocalRoute> routes;
        std::vector<netlink::Element> elements;
    };

    bool claim(const netlink::VirtualServer& server, netlink::VirtualServerState state, const api::ObjectName& service,
               const Claim& claim);
    void let_go(const api::ObjectName& service, const Keys& keys);

    Claims claims_;
    WishList wishes_;
    std::map<api::ObjectName, Keys> keys_;
};

/// What leave_out_lost() asks about.
struct FrontEndLookUp {
    std::function<bool(const netlink::VirtualServer&)> has;     ///< the service has it, of those that it wants
    std::function<bool(const base::Address&)> is_node_address;  ///< node ports are served there
};

/// Leaves out the elements of a service that belong to a front end which it has lost. An element with an address and a
/// port belongs to that front end. One of a node port belongs to all of the node's addresses, and goes when none of
/// them is left. `wanted`: the front ends that the service wants, sorted. Asks once for each of both.
void leave_out_lost(const std::vector<netlink::VirtualServer>& wanted, const FrontEndLookUp& look_up,
                    std::vector<netlink::Element>& elements);

}  // namespace proxy
