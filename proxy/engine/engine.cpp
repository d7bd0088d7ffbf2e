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

}  // namespace

bool is_needed_first(const api::ObjectName& service) {
    return AddressBook::is_api_service(service) ||
           (service.space == "kube-system" && service.name.find("dns") != std::string::npos);
}

Engine::Engine(const Config& config, NodeFacts facts, Choices remembered, bool addresses_given)
    : node_name_(config.node_name),
      facts_(std::move(facts)),
      addresses_given_(addresses_given),
      allocator_(config.service_cluster_ip_range, config.service_node_port_range, std::move(remembered)),
      budget_({static_cast<std::uint64_t>(config.front_ends_per_service),
               static_cast<std::uint64_t>(config.real_servers_per_service)},
              {static_cast<std::uint64_t>(config.front_ends_per_node),
               static_cast<std::uint64_t>(config.real_servers_per_node)}),
      marks_(config.fwmark),
      draining_(config.drain_timeout) {}

void Engine::apply(api::Transaction transaction) {
    ++transactions_;
    if (!transaction.same_problems)
        source_problems_ = std::move(transaction.problems);
    note_ended_pods(transaction);
    release(transaction.removals);
    transaction.upserts = allocate(std::move(transaction.upserts));
    probing_.apply(transaction);
    dirty_.merge(store_.apply(std::move(transaction)));
}

void Engine::release(const std::vector<api::Removal>& removals) {
    for (const api::Removal& removal : removals) {
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

bool Engine::admit(api::Upsert& upsert) {
    const api::Service& service = *service_of(upsert);
    if (addresses_given_) {
        note_origin(upsert);
        return true;
    }
    auto allocated = allocator_.allocate(service);
    if (!allocated) {
        waiting_[service.name] = {upsert, allocated.error()};
        return false;
    }
    waiting_.erase(service.name);
    note_origin(upsert);
    upsert.object = std::move(*allocated);
    return true;
}

/// Addresses given explicitly are taken first, so that at a start they win over automatic ones (KEP-3070).
std::vector<api::Upsert> Engine::allocate(std::vector<api::Upsert> upserts) {
    std::partition(upserts.begin(), upserts.end(), [](const api::Upsert& upsert) {
        return service_of(upsert) != nullptr && gives_numbers(*service_of(upsert));
    });
    std::erase_if(upserts, [&](api::Upsert& upsert) { return service_of(upsert) != nullptr && !admit(upsert); });
    retry_waiting(upserts);
    return upserts;
}

/// What was refused may be free by now.
void Engine::retry_waiting(std::vector<api::Upsert>& admitted) {
    std::vector<api::Upsert> again;
    for (const auto& [name, waiting] : waiting_)
        again.push_back(waiting.upsert);
    for (api::Upsert& upsert : again)
        if (admit(upsert))
            admitted.push_back(std::move(upsert));
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

void Engine::note_verdict(const health::Subject& subject, health::Verdict verdict) {
    const auto name = probing_.note(subject, verdict);
    if (!name)
        return;
    if (const auto pod = store_.pods().find(*name); pod != store_.pods().end())
        for (const api::ObjectName& service : store_.services_selecting(*pod))
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

std::size_t Engine::services_with(const LocalGap& gap) const {
    return static_cast<std::size_t>(
        std::count_if(gaps_.begin(), gaps_.end(), [&](const auto& gaps) { return gaps.second.contains(gap); }));
}

ServiceViews Engine::views(const netlink::KernelState& kernel) const {
    return {kernel, desired_, facts_, {draining_, probing_.verdicts()}};
}

}  // namespace proxy
