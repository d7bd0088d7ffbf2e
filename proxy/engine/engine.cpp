#include "proxy/engine/engine.hpp"
#include "proxy/plan/health_check_port.hpp"

#include <algorithm>

#include "proxy/engine/service_view.hpp"
#include "proxy/plan/endpoint_addresses.hpp"
#include "proxy/plan/facts_change.hpp"

namespace proxy {
namespace {

bool gives_numbers(const api::Service& service) {
    return !service.cluster_ips.empty() || health_check_port(service) != 0 ||
           std::any_of(service.ports.begin(), service.ports.end(),
                       [](const api::ServicePort& port) { return port.node_port != 0; });
}

const api::Service* service_of(const api::Upsert& upsert) {
    return std::get_if<api::Service>(&upsert.object);
}

bool runs_elsewhere(const std::optional<api::Probe>& probe) {
    return probe && std::holds_alternative<api::OtherHandler>(probe->handler);
}

}  // namespace

bool is_needed_first(const api::ObjectName& service) {
    return AddressBook::is_api_service(service) ||
           (service.space == "kube-system" && service.name.find("dns") != std::string::npos);
}

Engine::Engine(Config config, NodeFacts facts, Choices remembered, Inputs inputs)
    : config_(std::move(config)),
      facts_(std::move(facts)),
      inputs_(std::move(inputs)),
      allocator_(config_.service_cluster_ip_range, config_.service_node_port_range, std::move(remembered)),
      budget_({static_cast<std::uint64_t>(config_.front_ends_per_service),
               static_cast<std::uint64_t>(config_.real_servers_per_service)},
              {static_cast<std::uint64_t>(config_.front_ends_per_node),
               static_cast<std::uint64_t>(config_.real_servers_per_node)}),
      marks_(config_.fwmark, inputs_.mark_of),
      draining_(config_.drain_timeout) {}

void Engine::apply(api::Transaction transaction) {
    ++transactions_;
    if (!transaction.same_problems)
        source_problems_ = std::move(transaction.problems);
    forget_grace(transaction);
    note_ended_pods(transaction);
    release(transaction.removals);
    transaction.upserts = allocate(std::move(transaction.upserts));
    for (const api::Upsert& upsert : transaction.upserts) {
        if (const auto* pod = std::get_if<api::Pod>(&upsert.object)) {
            std::vector<std::string> problems;
            probe_targets(*pod, problems);
            if (problems.empty())
                probe_problems_.erase(pod->name);
            else
                probe_problems_[pod->name] = std::move(problems);
            if (transaction.initial)
                grace_.insert(pod->name);
        }
    }
    dirty_.merge(store_.apply(std::move(transaction)));
}

void Engine::forget_grace(const api::Transaction& transaction) {
    if (grace_.empty())
        return;
    for (const api::Removal& removal : transaction.removals)
        if (removal.kind == api::Kind::pod)
            grace_.erase(removal.name);
}

void Engine::release(const std::vector<api::Removal>& removals) {
    for (const api::Removal& removal : removals) {
        if (removal.kind == api::Kind::pod)
            probe_problems_.erase(removal.name);
        if (removal.kind != api::Kind::service)
            continue;
        allocator_.release(removal.name);
        waiting_.erase(removal.name);
        origins_.erase(removal.name);
    }
}

/// Those of an API server have none.
void Engine::note_origin(const api::Upsert& upsert) {
    if (upsert.origin != api::Origin{})
        origins_[service_of(upsert)->name] = upsert.origin;
}

bool Engine::take(api::Upsert& upsert) {
    const api::Service& service = *service_of(upsert);
    if (inputs_.addresses_given) {
        note_origin(upsert);
        return true;
    }
    auto taken = allocator_.take(service);
    if (!taken) {
        waiting_[service.name] = {upsert, taken.error()};
        return false;
    }
    waiting_.erase(service.name);
    note_origin(upsert);
    upsert.object = std::move(*taken);
    return true;
}

/// Addresses given explicitly are taken first, so that at a start they win over automatic ones (KEP-3070).
std::vector<api::Upsert> Engine::allocate(std::vector<api::Upsert> upserts) {
    std::partition(upserts.begin(), upserts.end(), [](const api::Upsert& upsert) {
        return service_of(upsert) != nullptr && gives_numbers(*service_of(upsert));
    });
    std::erase_if(upserts, [&](api::Upsert& upsert) { return service_of(upsert) != nullptr && !take(upsert); });
    retry_waiting(upserts);
    return upserts;
}

/// What was refused may be free by now.
void Engine::retry_waiting(std::vector<api::Upsert>& taken) {
    std::vector<api::Upsert> again;
    for (const auto& [name, waiting] : waiting_)
        again.push_back(waiting.upsert);
    for (api::Upsert& upsert : again)
        if (take(upsert))
            taken.push_back(std::move(upsert));
}

void Engine::set_facts(NodeFacts facts) {
    const FactsChange change(facts_, facts);
    facts_ = std::move(facts);
    node_dirty_ = true;
    for (const api::Service& service : store_.services())
        if (change.affects(service))
            dirty_.insert(service.name);
}

void Engine::plan_all_again() {
    for (const api::Service& service : store_.services())
        dirty_.insert(service.name);
}

void Engine::verdict_changed(const std::string& pod) {
    const auto slash = pod.find('/');
    const auto found = store_.pods().find(api::ObjectName{pod.substr(0, slash), pod.substr(slash + 1)});
    if (found == store_.pods().end())
        return;
    const PodVerdict verdict = pod_verdict(*found, inputs_.verdict_of);
    if (verdict == PodVerdict::ready || verdict == PodVerdict::failed)
        grace_.erase(found->name);
    for (const api::ObjectName& service : store_.services_selecting(*found))
        dirty_.insert(service);
}

bool Engine::note_api_server(const ServerAddress& where) {
    addresses_.add_server_in_use(where);
    auto affected = addresses_.take_affected();
    const bool any = !affected.empty();
    dirty_.merge(affected);
    return any;
}

api::Origin Engine::origin_of(const api::ObjectName& service) const {
    const auto found = origins_.find(service);
    return found == origins_.end() ? api::Origin{} : found->second;
}

void Engine::scheduler_is_missing(const std::string& scheduler) {
    if (missing_schedulers_.insert(scheduler).second)
        plan_all_again();
}

void Engine::look_for_missing_schedulers(const std::function<bool(const std::string&)>& is_there) {
    if (std::erase_if(missing_schedulers_, is_there) > 0)
        plan_all_again();
}

/// The prober's word counts. Without one, endpoints_of() looks at the status that the file gives; a pod with neither,
/// whose readiness probe podferry cannot run, counts as ready, and one whose probe names no port of its own never does.
api::PodReadiness Engine::readiness(const api::Pod& pod) const {
    switch (pod_verdict(pod, inputs_.verdict_of)) {
        case PodVerdict::ready:
            return {true, true};
        case PodVerdict::failed:
            return {true, false};
        case PodVerdict::unknown:
            return {true, std::nullopt};
        case PodVerdict::not_probed:
            break;
    }
    const bool could_be_probed = std::any_of(pod.containers.begin(), pod.containers.end(), [](const api::Container& c) {
        return c.readiness && !runs_elsewhere(c.readiness);
    });
    const bool has_status = !pod.conditions.empty() || !pod.container_statuses.empty();
    return {could_be_probed && !has_status, std::nullopt};
}

Verdicts Engine::verdicts() {
    Verdicts verdicts;
    verdicts.failed = [this](const api::ObjectName& name) {
        const auto pod = store_.pods().find(name);
        return pod != store_.pods().end() && pod_verdict(*pod, inputs_.verdict_of) == PodVerdict::failed;
    };
    verdicts.missing_schedulers = &missing_schedulers_;
    verdicts.kept = [this](const api::ObjectName& pod, const netlink::VirtualServer& server,
                           const netlink::RealServer& real) -> std::optional<int> {
        return grace_.contains(pod) ? inputs_.weight_of(server, real) : std::nullopt;
    };
    verdicts.mark = [this](const MarkUse& use, const netlink::Element& carrier) { return marks_.take(use, carrier); };
    return verdicts;
}

std::map<health::Subject, health::Target> Engine::targets() const {
    std::map<health::Subject, health::Target> targets;
    std::vector<std::string> ignored;
    for (const api::Pod& pod : store_.pods())
        targets.merge(probe_targets(pod, ignored));
    return targets;
}

std::size_t Engine::services_with(const LocalGap& gap) const {
    return static_cast<std::size_t>(
        std::count_if(gaps_.begin(), gaps_.end(), [&](const auto& gaps) { return gaps.second.contains(gap); }));
}

bool Engine::is_judged(const netlink::RealServer& real) const {
    return std::none_of(grace_.begin(), grace_.end(), [&](const api::ObjectName& name) {
        const auto pod = store_.pods().find(name);
        return pod != store_.pods().end() &&
               std::any_of(pod->ips.begin(), pod->ips.end(), [&](const Address& ip) { return ip == real.address; });
    });
}

ServerState Engine::state_of(const netlink::VirtualServer& server, const netlink::RealServer& real, int weight) const {
    const bool drains = weight == 0 && draining_.contains(server, real);
    return proxy::state_of(weight, drains, weight > 0 || drains || is_judged(real));
}

ServiceViews Engine::views(const netlink::KernelState& kernel) const {
    return {kernel, desired_, facts_,
            [this](const netlink::VirtualServer& server, const netlink::RealServer& real, int weight) {
                return state_of(server, real, weight);
            }};
}

}  // namespace proxy
