// Whether an endpoint that this node's own checks would take out of a Service goes out: asks health/guard/group.hpp for
// each port, family and list of endpoints, and remembers what it has to from one plan to the next. Pure; `now` is
// passed in. This node's endpoints are judged by their pods' probes, those of other nodes by the checks of these nodes.
//
//     podferry.io/second-opinion   off, observe or enforce, for this Service, where the setting of that name is not off
//     podferry.io/node-check       the same of node_check
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "api/objects/endpoints.hpp"
#include "health/guard/group.hpp"
#include "netlink/objects.hpp"
#include "proxy/engine/node_opinion.hpp"
#include "proxy/engine/second_opinion.hpp"

namespace proxy {

/// This node's own, of its pods and of the other nodes. They must outlive it.
struct Opinions {
    const SecondOpinion& pods;
    const NodeOpinion& nodes;
};

/// What own checks have against an endpoint.
struct Objection {
    std::string reason;  ///< why it is out, or is not
    std::string state;   ///< "node suspect", "node dead"; empty: it is its pod that fails
};

class ServiceGuards {
public:
    /// Sets `vetoed`, `vetoed_here` and `gone` of the endpoints. Returns problems, "field: sentence". Costs what the
    /// endpoints are.
    std::vector<std::string> judge(const api::Service& service, std::vector<api::PortEndpoints>& endpoints,
                                   const Opinions& opinions, Time now);
    void forget(const api::ObjectName& service);

    /// Services that are to be judged again by now though nothing has changed.
    std::set<api::ObjectName> review(Time now);
    std::optional<Time> next() const;

    /// Services that had an endpoint of this node at the address when they were last judged.
    std::set<api::ObjectName> services_at(const base::Address& address) const;
    /// nullptr: nobody has anything against it.
    const Objection* objection(const api::ObjectName& service, const netlink::RealServer& real) const;
    /// The same in words; empty: nothing.
    std::string reason(const api::ObjectName& service, const netlink::RealServer& real) const;
    /// Those of a port, in the order of Service::ports, that are gone with their nodes.
    std::set<netlink::RealServer> gone(const api::ObjectName& service, std::size_t port) const;
    /// Services of which most would be out, so that nobody is.
    std::size_t panicking() const { return panicking_.size(); }

private:
    /// Port, family, and which list: the cluster's or this node's.
    using Group = std::tuple<std::size_t, bool, bool>;
    struct Known {
        std::map<Group, health::PanicState> panics;                  // other than the usual one
        std::map<netlink::RealServer, Objection> objections;         // to those that fail
        std::set<base::Address> local;                               // addresses of this node's endpoints
        std::set<std::pair<std::size_t, netlink::RealServer>> gone;  // by port
        std::optional<Time> again;
    };
    struct Accusation;
    struct Judging;

    void judge_group(Judging& judging, const Group& group, std::vector<api::ResolvedEndpoint*>& members);
    static void judge_member(Judging& judging, const Group& group, api::ResolvedEndpoint& endpoint,
                             const Accusation& accusation, health::MemberFate fate);
    void put(const api::ObjectName& service, Known known);

    std::map<api::ObjectName, Known> services_;  // those of which something is known
    std::map<base::Address, std::set<api::ObjectName>> by_address_;
    std::set<api::ObjectName> panicking_;
};

}  // namespace proxy
