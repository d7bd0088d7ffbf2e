#include "proxy/engine/planner.hpp"

#include <utility>
#include <vector>

#include "proxy/plan/facts_change.hpp"

namespace proxy {
namespace {

Budget budget_of(const Config& config) {
    return {{static_cast<std::uint64_t>(config.front_ends_per_service),
             static_cast<std::uint64_t>(config.real_servers_per_service)},
            {static_cast<std::uint64_t>(config.front_ends_per_node),
             static_cast<std::uint64_t>(config.real_servers_per_node)}};
}

}  // namespace

Planner::Planner(const Config& config, NodeFacts facts, PlanFunction plan)
    : rules_{std::move(plan), config.node_name, std::move(facts), {}},
      ledger_{{}, budget_of(config), Marks(config.fwmark), {}, Departures(config.drain_timeout), {}, {}, {}} {}

void Planner::set_facts(NodeFacts facts, const Services& services) {
    const FactsChange change(rules_.facts, facts);
    rules_.facts = std::move(facts);
    node_dirty_ = true;
    for (const api::Service& service : services)
        if (change.affects(service))
            dirty_.insert(service.name);
}

bool Planner::note_api_server(const ServerAddress& where) {
    ledger_.addresses.add_server_in_use(where);
    auto affected = ledger_.addresses.exchange_affected();
    const bool any = !affected.empty();
    dirty_.merge(affected);
    return any;
}

void Planner::make_all_dirty(const Services& services) {
    for (const api::Service& service : services)
        dirty_.insert(service.name);
}

void Planner::scheduler_is_missing(const std::string& scheduler, const Services& services) {
    if (rules_.missing_schedulers.insert(scheduler).second)
        make_all_dirty(services);
}

void Planner::look_for_missing_schedulers(const std::function<bool(const std::string&)>& is_there,
                                          const Services& services) {
    if (std::erase_if(rules_.missing_schedulers, is_there) > 0)
        make_all_dirty(services);
}

void Planner::plan_node_if_dirty() {
    if (std::exchange(node_dirty_, false))
        ledger_.desired.replace({}, plan_node(rules_.facts));
}

/// Those that another one's plan has given a front end, or has deprived of one, or room, or whose external addresses
/// have become a ClusterIP, or are none any more. It ends, because a front end only ever goes to a claim that goes
/// before, and what a Service wants does not depend on what it has.
std::set<api::ObjectName> Planner::exchange_unsettled() {
    auto names = ledger_.desired.exchange_unsettled();
    names.merge(ledger_.budget.exchange_changed());
    names.merge(ledger_.addresses.exchange_affected());
    return names;
}

void Planner::plan_service(const api::ObjectName& name, const PlanSources& sources) {
    ++plans_;
    for (Planning planning{name}; planning.next != Planning::Step::done;)
        advance(planning, rules_, sources, ledger_);
}

std::size_t Planner::plan_dirty(const PlanSources& sources, const std::function<bool(const api::ObjectName&)>& wanted) {
    plan_node_if_dirty();
    std::vector<api::ObjectName> now;
    for (const api::ObjectName& name : dirty_)
        if (!wanted || wanted(name))
            now.push_back(name);
    for (const api::ObjectName& name : now) {
        plan_service(name, sources);
        dirty_.erase(name);
    }
    for (auto names = exchange_unsettled(); !names.empty(); names = exchange_unsettled())
        for (const api::ObjectName& name : names)
            plan_service(name, sources);
    if (dirty_.empty())
        ledger_.departures.forget_ended();
    return now.size();
}

bool Planner::plan_slice(const PlanSources& sources, std::size_t most) {
    plan_node_if_dirty();
    if (round_.empty())
        round_.waiting = std::exchange(dirty_, {});
    for (std::size_t seen = 0; seen < most && !round_.empty();) {
        if (!round_.current) {
            ++plans_;
            round_.current.emplace(round_.waiting.extract(round_.waiting.begin()).value());
        }
        seen += advance(*round_.current, rules_, sources, ledger_);
        if (round_.current->next != Planning::Step::done)
            continue;
        round_.current.reset();
        round_.waiting.merge(exchange_unsettled());
    }
    ledger_.desired.wishes().end_slice();
    if (round_.empty() && dirty_.empty())
        ledger_.departures.forget_ended();
    return !round_.empty();
}

std::size_t Planner::review_draining(Time now, const Draining::Counted& counted) {
    return ledger_.departures.review(now, counted, ledger_.desired, dirty_);
}

bool Planner::settle_health_ports(const Mirror& kernel, bool refused, std::size_t most) {
    return ledger_.health_ports.settle(ledger_.desired, kernel, refused, most);
}

}  // namespace proxy
