#include "proxy/engine/engine.hpp"

#include <utility>

#include "proxy/engine/service_view.hpp"

namespace proxy {

bool is_needed_first(const api::ObjectName& service) {
    return AddressBook::is_api_service(service) ||
           (service.space == "kube-system" && service.name.find("dns") != std::string::npos);
}

Engine::Engine(const Config& config, NodeFacts facts, Choices remembered, bool addresses_given, PlanFunction plan)
    : intake_(config, std::move(remembered), addresses_given), planner_(config, std::move(facts), std::move(plan)) {}

void Engine::apply(api::Transaction transaction) {
    planner_.note_ended(ended_pods(transaction, store()));
    probing_.apply(transaction);
    planner_.make_dirty(intake_.apply(std::move(transaction)));
}

void Engine::note_verdict(const health::Subject& subject, health::Verdict verdict) {
    const auto name = probing_.note(subject, verdict);
    if (!name)
        return;
    const auto pod = store().pods().find(*name);
    if (pod == store().pods().end())
        return;
    const auto affected = store().services_selecting(*pod);
    planner_.make_dirty({affected.begin(), affected.end()});
}

PlanSources Engine::sources(const Mirror& kernel) const {
    return {store(), intake_.transactions(), probing_.verdicts(), kernel};
}

ServerState Engine::state_of(const netlink::VirtualServer& server, const netlink::RealServer& real, int weight) const {
    return ServerStates(planner_.ledger().departures.draining(), probing_.verdicts()).of(server, real, weight);
}

ServiceViews Engine::views(const netlink::KernelState& kernel) const {
    return {kernel, desired(), facts(), {planner_.ledger().departures.draining(), probing_.verdicts()}};
}

}  // namespace proxy
