// Whether an endpoint that this node's own checks would take out of a Service goes out: asks health/guard/group.hpp for
// each port, family and list of endpoints, and remembers what it has to from one plan to the next. Pure; `now` is
// passed in.
//
//     podferry.io/second-opinion   off, observe or enforce, for this Service, where the setting of that name is not off
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
#include "proxy/engine/second_opinion.hpp"

namespace proxy {

class ServiceGuards {
public:
    /// Sets `vetoed` and `vetoed_here` of the endpoints. Returns problems, "field: sentence". Costs what the endpoints
    /// are.
    std::vector<std::string> judge(const api::Service& service, std::vector<api::PortEndpoints>& endpoints,
                                   const SecondOpinion& opinion, Time now);
    void forget(const api::ObjectName& service);

    /// Services that are to be judged again by now though nothing has changed.
    std::set<api::ObjectName> review(Time now);
    std::optional<Time> next() const;

    /// Services that had an endpoint of this node at the address when they were last judged.
    std::set<api::ObjectName> services_at(const base::Address& address) const;
    /// Why one that fails is out, or is not; empty: nobody has anything against it.
    std::string reason(const api::ObjectName& service, const netlink::RealServer& real) const;
    /// Services of which most would be out, so that nobody is.
    std::size_t panicking() const { return panicking_.size(); }

private:
    /// Port, family, and which list: the cluster's or this node's.
    using Group = std::tuple<std::size_t, bool, bool>;
    struct Known {
        std::map<Group, health::PanicState> panics;          // other than the usual one
        std::map<netlink::RealServer, std::string> reasons;  // of those that fail
        std::set<base::Address> local;                       // addresses of this node's endpoints
        std::optional<Time> again;
    };
    struct Judging;

    void judge_group(Judging& judging, const Group& group, std::vector<api::ResolvedEndpoint*>& members);
    void put(const api::ObjectName& service, Known known);

    std::map<api::ObjectName, Known> services_;  // those with endpoints of this node
    std::map<base::Address, std::set<api::ObjectName>> by_address_;
    std::set<api::ObjectName> panicking_;
};

}  // namespace proxy
