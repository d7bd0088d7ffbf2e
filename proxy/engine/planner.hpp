// Makes what is desired of dirty Services: knows which are to be planned again, and plans them, in one go or in slices.
// No I/O and no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>

#include "proxy/config/config.hpp"
#include "proxy/engine/planning_steps.hpp"

namespace proxy {

class Planner {
public:
    /// `plan`: what a Service becomes in this role.
    Planner(const Config& config, NodeFacts facts, PlanFunction plan);

    using Services = api::Objects<api::Service>;

    /// They are to be planned again.
    void make_dirty(std::set<api::ObjectName> services) { dirty_.merge(services); }
    /// The node's addresses have changed: what depends on them is dirty (facts_change.hpp).
    void set_facts(NodeFacts facts, const Services& services);
    /// An API server that the configuration names, or that podferry has connected to: no Service may have its address
    /// and port. True when that makes some dirty.
    bool note_api_server(const ServerAddress& where);
    /// The kernel has refused that scheduler: its Services get another one.
    void scheduler_is_missing(const std::string& scheduler, const Services& services);
    /// Those that are there by now are missing no more.
    void look_for_missing_schedulers(const std::function<bool(const std::string& scheduler)>& is_there,
                                     const Services& services);
    /// Pods have ended, which had these addresses.
    void note_ended(const std::set<base::Address>& pods) { ledger_.departures.note_ended(pods); }

    bool is_dirty() const { return node_dirty_ || !dirty_.empty() || !round_.empty(); }

    /// Plans the dirty Services for which `wanted` is true (all, when empty); how many were dirty.
    std::size_t plan_dirty(const PlanSources& sources, const std::function<bool(const api::ObjectName&)>& wanted = {});

    /// The same in slices, for a loop that has other things to do: plans dirty Services, each in steps (planning.hpp),
    /// until these have looked at `most` objects, which ends a slice of the wish list too. True: some are left of those
    /// that were dirty at the first call, or whom their plans have given a front end, or deprived of one; until then
    /// the kernel is not to be given what is desired.
    bool plan_slice(const PlanSources& sources, std::size_t most);

    /// Services of which real servers are to have more weight by now (slow_start.hpp) are dirty.
    void review_slow_start(Time now) { dirty_.merge(ledger_.slow_start.review(now)); }
    /// When that is due; nullopt: nothing grows.
    std::optional<Time> next_slow_start() const { return ledger_.slow_start.next(); }
    /// Takes those out of what is desired that have drained (draining.hpp); how many.
    std::size_t review_draining(Time now, const Draining::Counted& counted);
    /// The kernel holds what was planned, as far as it accepts it: what is told on health check ports may rise.
    /// `refused`: some changes were refused, or have been accepted only now. At most `most` Services; true: some are
    /// left.
    bool settle_health_ports(const Mirror& kernel, bool refused, std::size_t most);

    /// How often a Service has been planned so far.
    std::uint64_t plans() const { return plans_; }
    const PlanRules& rules() const { return rules_; }
    PlanLedger& ledger() { return ledger_; }
    const PlanLedger& ledger() const { return ledger_; }

private:
    void plan_service(const api::ObjectName& name, const PlanSources& sources);
    void plan_node_if_dirty();
    void make_all_dirty(const Services& services);
    std::set<api::ObjectName> exchange_unsettled();

    PlanRules rules_;
    PlanLedger ledger_;
    std::set<api::ObjectName> dirty_;
    PlanRound round_;  // of plan_slice()
    std::uint64_t plans_ = 0;
    bool node_dirty_ = true;
};

}  // namespace proxy
