// One Service on its way from dirty to desired, in steps (planning_steps.hpp): between two of them a loop may do other
// things, also apply new objects. All are values: who changes what a plan has been made of makes the Service dirty
// again.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/objects/endpoints.hpp"
#include "api/objects/types.hpp"
#include "proxy/plan/claim.hpp"
#include "proxy/plan/plan.hpp"

namespace proxy {

struct Planning {
    /// What is to be done next.
    enum class Step : std::uint8_t {
        look,     ///< its endpoints, and the addresses that it names
        make,     ///< the plan
        keep,     ///< weights, and what drains
        replace,  ///< what is desired
        settle,   ///< what else depends on it
        done,
    };

    api::ObjectName name;
    Step next = Step::look;
    api::Service service{};
    std::vector<api::PortEndpoints> endpoints{};
    Age age{};
    ServicePlan plan{};
    std::vector<netlink::VirtualServer> before{};  ///< that it had, when some drain
    std::vector<std::string> problems{};           ///< besides the plan's
};

/// Services that are planned before the kernel is given any of what that has changed.
struct PlanRound {
    std::set<api::ObjectName> waiting;
    std::optional<Planning> current;
    bool empty() const { return waiting.empty() && !current; }
};

}  // namespace proxy
