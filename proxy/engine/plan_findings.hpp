// What plans have shown of their Services, beside what they want of the kernel: problems, and gaps that are counted.
// Pure.
#pragma once

#include <cstddef>
#include <map>
#include <set>

#include "api/objects/types.hpp"
#include "proxy/engine/desired.hpp"
#include "proxy/plan/plan.hpp"
#include "proxy/plan/plan_problems.hpp"

namespace proxy {

class PlanFindings {
public:
    /// Those of the Service's new plan, in the place of the former ones; they are moved out of it.
    void put(const api::ObjectName& service, ServicePlan& plan);
    /// The Service has been given its virtual servers.
    void note_backends(const api::ObjectName& service, const Desired& desired);
    /// The Service is gone.
    void forget(const api::ObjectName& service);

    /// What Services ask for and do not get, by Service: "field: sentence".
    const PlanProblems& problems() const { return problems_; }
    PlanProblems& problems() { return problems_; }
    /// Services with that gap.
    std::size_t services_with(const LocalGap& gap) const;
    /// Services with an address of which no real server gets connections.
    std::size_t services_without_backends() const { return without_backends_.size(); }
    /// Services with IPv6 addresses, on a node that has it off.
    const std::set<api::ObjectName>& without_ipv6() const { return without_ipv6_; }

private:
    PlanProblems problems_;
    std::map<api::ObjectName, std::set<LocalGap>> gaps_;  // of Services that have some
    std::set<api::ObjectName> without_ipv6_;
    std::set<api::ObjectName> without_backends_;  // with virtual servers, and no real server that gets connections
};

}  // namespace proxy
