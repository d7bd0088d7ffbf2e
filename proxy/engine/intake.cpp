#include "proxy/engine/intake.hpp"

#include <algorithm>
#include <utility>

#include "proxy/plan/health_check_port.hpp"

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

Intake::Intake(const Config& config, Choices remembered, bool addresses_given)
    : addresses_given_(addresses_given),
      allocator_(config.service_cluster_ip_range, config.service_node_port_range, std::move(remembered)) {}

api::Affected Intake::apply(api::Transaction transaction) {
    ++transactions_;
    if (!transaction.same_problems)
        source_problems_ = std::move(transaction.problems);
    release(transaction.removals);
    transaction.upserts = allocate(std::move(transaction.upserts));
    return store_.apply(std::move(transaction));
}

void Intake::release(const std::vector<api::Removal>& removals) {
    for (const api::Removal& removal : removals) {
        if (removal.kind != api::Kind::service)
            continue;
        allocator_.release(removal.name);
        waiting_.erase(removal.name);
        origins_.erase(removal.name);
    }
}

/// Those of an API server have none.
void Intake::note_origin(const api::Upsert& upsert) {
    if (upsert.origin != api::Origin{})
        origins_[service_of(upsert)->name] = upsert.origin;
}

bool Intake::admit(api::Upsert& upsert) {
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

/// Addresses given explicitly are allocated first, so that at a start they win over automatic ones (KEP-3070).
std::vector<api::Upsert> Intake::allocate(std::vector<api::Upsert> upserts) {
    std::partition(upserts.begin(), upserts.end(), [](const api::Upsert& upsert) {
        return service_of(upsert) != nullptr && gives_numbers(*service_of(upsert));
    });
    std::erase_if(upserts, [&](api::Upsert& upsert) { return service_of(upsert) != nullptr && !admit(upsert); });
    retry_waiting(upserts);
    return upserts;
}

/// What was refused may be free by now.
void Intake::retry_waiting(std::vector<api::Upsert>& admitted) {
    std::vector<api::Upsert> again;
    for (const auto& [name, waiting] : waiting_)
        again.push_back(waiting.upsert);
    for (api::Upsert& upsert : again)
        if (admit(upsert))
            admitted.push_back(std::move(upsert));
}

api::Origin Intake::origin_of(const api::ObjectName& service) const {
    const auto found = origins_.find(service);
    return found == origins_.end() ? api::Origin{} : found->second;
}

}  // namespace proxy
