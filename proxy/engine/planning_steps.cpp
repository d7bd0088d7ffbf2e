#include "proxy/engine/planning_steps.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "proxy/engine/probes.hpp"
#include "proxy/plan/endpoint_addresses.hpp"

namespace proxy {
namespace {

constexpr std::size_t objects_of_front_end = 8;  // virtual server, elements and some real servers, when it goes

std::size_t size_of(const std::vector<api::PortEndpoints>& endpoints) {
    std::size_t size = 0;
    for (const api::PortEndpoints& group : endpoints)
        size += group.endpoints.size();
    return size;
}

std::size_t size_of(const ServicePlan& plan) {
    std::size_t size = 1 + plan.virtual_servers.size() + plan.elements.size();
    for (const PlannedServer& planned : plan.virtual_servers)
        size += planned.state.real_servers.size();
    return size;
}

/// The virtual servers of a Service, when some drain, in whichever.
std::vector<netlink::VirtualServer> may_drain(const api::ObjectName& service, const PlanLedger& ledger) {
    if (ledger.departures.draining().empty())
        return {};
    return ledger.desired.servers_of(service);
}

std::size_t forget(const api::ObjectName& name, const PlanRules& rules, PlanLedger& ledger) {
    const auto before = ledger.desired.servers_of(name);
    ledger.desired.remove(name);
    ledger.marks.keep(name, {});
    ledger.health_ports.remove(name);
    ledger.departures.forget(name);
    ledger.slow_start.forget(name);
    ledger.budget.release(name);
    ledger.findings.forget(name);
    ledger.guards.forget(name);
    ledger.addresses.remove(name, rules.facts.own_addresses);
    ledger.departures.forget_unwanted(before, ledger.desired);
    return 1 + objects_of_front_end * before.size();
}

std::size_t look(Planning& planning, const PlanRules& rules, const PlanSources& sources, PlanLedger& ledger) {
    const auto found = sources.store.services().find(planning.name);
    if (found == sources.store.services().end()) {
        planning.next = Planning::Step::done;
        return forget(planning.name, rules, ledger);
    }
    planning.service = *found;
    planning.age = {found->created, sources.transactions};
    planning.endpoints = api::endpoints_of(
        *found, sources.store, [&](const api::Pod& pod) { return readiness_of(pod, sources.verdicts.of(pod.name)); },
        rules.node_name, ledger.budget.most_endpoints());
    planning.problems =
        note_addresses(*found, planning.endpoints, {rules.facts.claims, rules.facts.own_addresses, ledger.addresses},
                       ledger.addresses);
    for (std::string& problem : ledger.guards.judge(*found, planning.endpoints, sources.opinions, sources.now))
        planning.problems.push_back(std::move(problem));
    planning.next = Planning::Step::make;
    return 1 + size_of(planning.endpoints);
}

std::size_t make(Planning& planning, const PlanRules& rules, const PlanSources& sources, PlanLedger& ledger) {
    const Request request =
        request_of(planning.service, rules.facts, ledger.addresses, ledger.budget.most_front_ends());
    Budget::Grant grant = ledger.budget.grant(planning.service, request, planning.endpoints, planning.age);
    ServicePlan& made = planning.plan;
    made = rules.plan(planning.service, request, planning.endpoints, rules.facts,
                      {sources.kernel, sources.verdicts, rules.missing_schedulers, ledger.marks}, grant.front_ends);
    std::move(grant.problems.begin(), grant.problems.end(), std::back_inserter(made.problems));
    std::move(planning.problems.begin(), planning.problems.end(), std::back_inserter(made.problems));
    std::sort(made.elements.begin(), made.elements.end());  // here, so that replacing is shorter
    planning.next = Planning::Step::keep;
    return size_of(made);
}

std::size_t keep(Planning& planning, const PlanSources& sources, PlanLedger& ledger) {
    ledger.slow_start.weigh(planning.name, planning.plan, sources.kernel);
    planning.before = may_drain(planning.name, ledger);
    ledger.departures.keep(planning, ledger.desired, ledger.marks, sources.kernel);
    planning.next = Planning::Step::replace;
    return size_of(planning.plan);
}

std::size_t replace(Planning& planning, PlanLedger& ledger) {
    const std::size_t size = size_of(planning.plan);
    ledger.findings.put(planning.name, planning.plan);
    ledger.marks.keep(planning.name, planning.plan.marks);
    ledger.desired.replace(planning.name, std::move(planning.plan), planning.age);
    planning.next = Planning::Step::settle;
    return size;
}

std::size_t settle(Planning& planning, const PlanSources& sources, PlanLedger& ledger) {
    ledger.departures.forget_unwanted(planning.before, ledger.desired);
    ledger.findings.note_backends(planning.name, ledger.desired);
    ledger.health_ports.put(planning.service, planning.endpoints, ledger.desired, sources.kernel);
    planning.next = Planning::Step::done;
    return 1 + size_of(planning.endpoints);
}

}  // namespace

std::size_t advance(Planning& planning, const PlanRules& rules, const PlanSources& sources, PlanLedger& ledger) {
    switch (planning.next) {
        case Planning::Step::look:
            return look(planning, rules, sources, ledger);
        case Planning::Step::make:
            return make(planning, rules, sources, ledger);
        case Planning::Step::keep:
            return keep(planning, sources, ledger);
        case Planning::Step::replace:
            return replace(planning, ledger);
        case Planning::Step::settle:
            return settle(planning, sources, ledger);
        case Planning::Step::done:
            break;
    }
    return 0;
}

}  // namespace proxy
