#include "proxy/engine/server_state.hpp"

#include <cstddef>

#include "proxy/engine/draining.hpp"
#include "proxy/engine/slow_start.hpp"
#include "proxy/plan/verdicts.hpp"

namespace proxy {

ServerState state_of(int weight, bool drains, bool judged) {
    if (weight > 0)
        return SlowStart::is_growing(weight) ? ServerState::slow_start : ServerState::active;
    if (drains)
        return ServerState::draining;
    return judged ? ServerState::failed_probe : ServerState::not_probed;
}

ServerState ServerStates::of(const netlink::VirtualServer& server, const netlink::RealServer& real, int weight) const {
    const bool drains = weight == 0 && draining_.contains(server, real);
    return state_of(weight, drains, weight > 0 || drains || !verdicts_.awaits(real.address));
}

std::string_view word(ServerState state) {
    static constexpr std::string_view words[] = {"active", "slow start", "draining", "failed probe", "not probed yet"};
    return words[static_cast<std::size_t>(state)];
}

std::string_view label(ServerState state) {
    static constexpr std::string_view labels[] = {"active", "slow_start", "draining", "failed_probe", "not_probed"};
    return labels[static_cast<std::size_t>(state)];
}

}  // namespace proxy
