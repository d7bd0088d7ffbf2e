// The steps of planning one Service, and what they read and write. Pure: values in, values out; the planner
// (planner.hpp) says which Service is next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "api/objects/store.hpp"
#include "proxy/engine/departures.hpp"
#include "proxy/engine/desired.hpp"
#include "proxy/engine/health_ports.hpp"
#include "proxy/engine/plan_findings.hpp"
#include "proxy/engine/planning.hpp"
#include "proxy/engine/second_opinion.hpp"
#include "proxy/engine/service_guards.hpp"
#include "proxy/engine/slow_start.hpp"
#include "proxy/plan/address_book.hpp"
#include "proxy/plan/budget.hpp"
#include "proxy/plan/marks.hpp"
#include "proxy/plan/request.hpp"

namespace proxy {

/// Makes kernel objects of one Service, as plan() does: a role brings its own.
using PlanFunction =
    std::function<ServicePlan(const api::Service&, const Request&, const std::vector<api::PortEndpoints>&,
                              const NodeFacts&, const PlanInputs&, std::size_t front_ends)>;

/// What is the same for all Services.
struct PlanRules {
    PlanFunction plan;
    std::string node_name;  ///< this node's, for what is local
    NodeFacts facts;
    std::set<std::string> missing_schedulers;  ///< that this kernel has refused
};

/// What planning reads, for one call: the references must outlive it.
struct PlanSources {
    const api::Store& store;
    std::uint64_t transactions = 0;  ///< of the store so far; claims made at the same time are of the same age
    const Verdicts& verdicts;
    const Mirror& kernel;
    Opinions opinions;
    Time now;  ///< when these were last reviewed
};

/// What plans come to, all Services together.
struct PlanLedger {
    AddressBook addresses;
    Budget budget;
    Marks marks;
    SlowStart slow_start;
    Departures departures;
    Desired desired;
    HealthPorts health_ports;
    PlanFindings findings;
    ServiceGuards guards{};
};

/// Does the next step. Returns how many objects it has looked at.
std::size_t advance(Planning& planning, const PlanRules& rules, const PlanSources& sources, PlanLedger& ledger);

}  // namespace proxy
