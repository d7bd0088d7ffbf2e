#include "proxy/engine/plan_findings.hpp"

#include <algorithm>
#include <utility>

namespace proxy {
namespace {

bool takes_connections(const netlink::VirtualServerState& state) {
    return std::any_of(state.real_servers.begin(), state.real_servers.end(),
                       [](const auto& real) { return real.second > 0; });
}

}  // namespace

void PlanFindings::put(const api::ObjectName& service, ServicePlan& plan) {
    problems_.put(service, std::exchange(plan.problems, {}));
    if (plan.gaps.empty())
        gaps_.erase(service);
    else
        gaps_[service] = std::exchange(plan.gaps, {});
    if (plan.without_ipv6)
        without_ipv6_.insert(service);
    else
        without_ipv6_.erase(service);
}

void PlanFindings::note_backends(const api::ObjectName& service, const Desired& desired) {
    const auto servers = desired.servers_of(service);
    const bool has_some = std::any_of(servers.begin(), servers.end(), [&](const netlink::VirtualServer& server) {
        return takes_connections(*desired.find(server));
    });
    if (!servers.empty() && !has_some)
        without_backends_.insert(service);
    else
        without_backends_.erase(service);
}

void PlanFindings::forget(const api::ObjectName& service) {
    problems_.put(service, {});
    gaps_.erase(service);
    without_ipv6_.erase(service);
    without_backends_.erase(service);
}

std::size_t PlanFindings::services_with(const LocalGap& gap) const {
    return static_cast<std::size_t>(
        std::count_if(gaps_.begin(), gaps_.end(), [&](const auto& gaps) { return gaps.second.contains(gap); }));
}

}  // namespace proxy
