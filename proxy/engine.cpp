#include "proxy/engine.hpp"

#include <algorithm>
#include <bit>

#include "proxy/facts_change.hpp"
#include "proxy/words.hpp"

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
    return (service.space == "default" && service.name == "kubernetes") ||
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

std::vector<api::Problem> Engine::problems() const {
    std::vector<api::Problem> all = source_problems_;
    for (const auto& [name, waiting] : waiting_)
        all.push_back({waiting.upsert.origin, "Service " + api::to_string(name), waiting.message, false});
    for (const Conflict& conflict : desired_.conflicts())
        all.push_back(
            {origin_of(conflict.service), "Service " + api::to_string(conflict.service), to_string(conflict), false});
    for (const HealthPortConflict& conflict : health_ports_.conflicts())
        all.push_back({origin_of(conflict.service), "Service " + api::to_string(conflict.service),
                       "spec.healthCheckNodePort: " + std::to_string(conflict.port) + " is that of Service " +
                           api::to_string(conflict.owner) + "; it is not answered for this one until that one goes",
                       false});
    for (const auto& [name, problems] : plan_problems_)
        for (const std::string& problem : problems)
            all.push_back({origin_of(name), "Service " + api::to_string(name), problem, true});
    if (!without_ipv6_.empty())
        all.push_back({{},
                       "",
                       "IPv6 is off on this host (sysctl net.ipv6.conf.podferry0.disable_ipv6, or booted with "
                       "ipv6.disable=1): at least " +
                           std::to_string(std::bit_floor(without_ipv6_.size())) + " Services, " +
                           api::to_string(*without_ipv6_.begin()) +
                           " among them, are not served at their IPv6 addresses; they will be when it is on",
                       true});
    if (missing_schedulers_.contains(facts_.scheduler))
        all.push_back({{},
                       "",
                       "setting scheduler: this kernel has no scheduler " + facts_.scheduler +
                           "; load its module ip_vs_" + facts_.scheduler +
                           ", which the next audit finds; until then rr is used",
                       true});
    for (const auto& [name, problems] : probe_problems_)
        for (const std::string& problem : problems)
            all.push_back({{}, "Pod " + api::to_string(name), problem, true});
    return all;
}

std::size_t Engine::services_with(const LocalGap& gap) const {
    return static_cast<std::size_t>(
        std::count_if(gaps_.begin(), gaps_.end(), [&](const auto& gaps) { return gaps.second.contains(gap); }));
}

/// `weight`: the one that it is to have.
BackendView Engine::view_of(const netlink::VirtualServer& server, const netlink::RealServer& real, int weight) const {
    const auto actual = inputs_.weight_of(server, real);
    BackendView view{real.address.to_string(), real.port, actual.value_or(-1), "active"};
    if (!actual)
        view.state = "pending";
    else if (weight == 0)
        view.state = draining_.contains(server, real) ? "draining" : "failed probe";
    else if (SlowStart::is_growing(weight))
        view.state = "slow start";
    return view;
}

std::vector<ServiceView> Engine::view() const {
    std::vector<ServiceView> views;
    for (const api::Service& service : store_.services()) {
        const api::ObjectName& name = service.name;
        if (desired_.servers_of(name).empty())
            continue;
        ServiceView view{name, std::string(word(service.type)), {}, {}, {}};
        for (const Address& address : service.cluster_ips)
            view.cluster_ips.push_back(address.to_string());
        for (const Address& address : service.external_ips)
            view.external_ips.push_back(address.to_string());
        for (const api::ServicePort& port : service.ports) {
            PortView row{port.name, std::string(word(port.protocol)), port.port, port.node_port, {}};
            for (const Address& address : service.cluster_ips) {
                const netlink::VirtualServer server{address, kernel_protocol(port.protocol), port.port};
                const api::ObjectName* owner = desired_.owner(server);
                if (owner != nullptr && *owner == name)
                    for (const auto& [real, weight] : desired_.find(server)->real_servers)
                        row.backends.push_back(view_of(server, real, weight));
            }
            view.ports.push_back(std::move(row));
        }
        views.push_back(std::move(view));
    }
    return views;
}

}  // namespace proxy
