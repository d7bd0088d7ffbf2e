#include "proxy/plan/claim.hpp"

#include <array>
#include <iterator>

namespace proxy {

std::string_view to_string(FrontEndKind kind) {
    static constexpr std::array<std::string_view, 4> words = {"a ClusterIP", "a node port", "a load balancer's address",
                                                              "an external IP"};
    return words.at(static_cast<std::size_t>(kind));
}

Seniority seniority(const api::ObjectName& service, const Age& age) {
    const bool known = age.created != std::chrono::sys_seconds{};
    return {!known, age.created, known ? 0 : age.round, service};
}

std::string to_string(const Conflict& conflict) {
    std::string why = ", whose claim is older";
    if (conflict.kind != conflict.owner_kind)
        why = " as " + std::string(to_string(conflict.owner_kind)) + ", which goes before " +
              std::string(to_string(conflict.kind));
    return netlink::to_string(conflict.server) + " is already served for Service " + api::to_string(conflict.owner) +
           why + "; this front end waits until that one goes or is given another address or port";
}

Rivals::Rank Rivals::rank(const api::ObjectName& service, const Claim& claim) {
    return std::tuple_cat(std::tuple(claim.kind), seniority(service, claim.age));
}

void Rivals::put(const api::ObjectName& service, const Claim& claim) {
    const auto [entry, added] = claims_.try_emplace(service, claim);
    if (!added) {
        order_.erase(rank(service, entry->second));
        entry->second.kind = claim.kind;
        entry->second.age.created = claim.age.created;
    }
    order_.insert(rank(service, entry->second));
}

void Rivals::join(const api::ObjectName& service, const Claim& claim) {
    if (claims_.try_emplace(service, claim).second)
        order_.insert(rank(service, claim));
}

void Rivals::remove(const api::ObjectName& service) {
    const auto found = claims_.find(service);
    if (found == claims_.end())
        return;
    order_.erase(rank(service, found->second));
    claims_.erase(found);
}

bool Rivals::would_be_first(const api::ObjectName& service, const Claim& claim) const {
    Claim mine = claim;
    if (const auto known = claims_.find(service); known != claims_.end())
        mine.age.round = known->second.age.round;
    auto best = order_.begin();
    if (best != order_.end() && std::get<api::ObjectName>(*best) == service)
        ++best;
    return best == order_.end() || rank(service, mine) < *best;
}

}  // namespace proxy
