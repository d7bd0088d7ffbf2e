#include "proxy/engine/engine.hpp"

#include <algorithm>
#include <utility>

#include "proxy/engine/service_view.hpp"

namespace proxy {

bool is_needed_first(const api::ObjectName& service) {
    return AddressBook::is_api_service(service) ||
           (service.space == "kube-system" && service.name.find("dns") != std::string::npos);
}

Engine::Engine(const Config& config, NodeFacts facts, Choices remembered, bool addresses_given, PlanFunction plan)
    : intake_(config, std::move(remembered), addresses_given),
      probing_(addresses_given ? Probing::Word::second : Probing::Word::first, config.second_opinion,
               config.container_runtime_socket),
      nodes_(config),
      planner_(config, std::move(facts), std::move(plan)) {}

void Engine::apply(api::Transaction transaction) {
    planner_.note_ended(ended_pods(transaction, store()));
    probing_.apply(transaction);
    nodes_.apply(transaction, store());
    planner_.make_dirty(intake_.apply(std::move(transaction)));
}

void Engine::note_verdict(const health::Subject& subject, health::Verdict verdict, const std::string& why) {
    const auto name = probing_.note(subject, verdict);
    if (!name)
        return;
    if (probing_.second_opinion().is_wanted()) {
        probing_.second_opinion().note(*name, probing_.verdicts().of(*name), why);
        return;
    }
    const auto pod = store().pods().find(*name);
    if (pod == store().pods().end())
        return;
    const auto affected = store().services_selecting(*pod);
    planner_.make_dirty({affected.begin(), affected.end()});
}

void Engine::review_opinions(Time now) {
    reviewed_ = now;
    for (const base::Address& address : probing_.second_opinion().review(now))
        planner_.make_dirty(planner_.ledger().guards.services_at(address));
    if (const auto changed = nodes_.review(now); !changed.empty())
        planner_.make_dirty(services_on(changed, store()));
    planner_.make_dirty(planner_.ledger().guards.review(now));
}

std::optional<Time> Engine::next_opinion() const {
    std::optional<Time> next = probing_.second_opinion().next();
    for (const auto& other : {nodes_.next(), planner_.ledger().guards.next()})
        if (other)
            next = std::min(*other, next.value_or(*other));
    return next;
}

PlanSources Engine::sources(const Mirror& kernel) const {
    const Opinions opinions{probing_.second_opinion(), nodes_};
    return {store(), intake_.transactions(), probing_.verdicts(), kernel, opinions, reviewed_};
}

ServerState Engine::state_of(const netlink::VirtualServer& server, const netlink::RealServer& real, int weight) const {
    return ServerStates(planner_.ledger().departures.draining(), probing_.verdicts()).of(server, real, weight);
}

ServiceViews Engine::views(const netlink::KernelState& kernel) const {
    return {kernel,
            desired(),
            facts(),
            planner_.ledger().guards,
            {planner_.ledger().departures.draining(), probing_.verdicts()}};
}

}  // namespace proxy
