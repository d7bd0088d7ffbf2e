// What a real server in the kernel is doing, as the operator's pages and the metrics name it. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "netlink/state.hpp"

namespace proxy {

class Draining;
class Verdicts;

enum class ServerState : std::uint8_t {
    active,        ///< it gets its full share of new connections
    slow_start,    ///< it gets less (slow_start.hpp)
    draining,      ///< it has left and keeps its connections (draining.hpp)
    failed_probe,  ///< its pod has failed a probe: no new connections
    not_probed,    ///< no weight since before podferry started, and its pod's probe has not answered since
};
inline constexpr ServerState all_server_states[] = {ServerState::active, ServerState::slow_start, ServerState::draining,
                                                    ServerState::failed_probe, ServerState::not_probed};

/// `weight`: in the kernel. `judged`: its pod's probe has answered since podferry started, or there is none.
ServerState state_of(int weight, bool drains, bool judged);

/// The states of real servers, by what drains and which pods are awaited. These must outlive it.
class ServerStates {
public:
    ServerStates(const Draining& draining, const Verdicts& verdicts) : draining_(draining), verdicts_(verdicts) {}

    /// The state of a real server that has that weight in the kernel.
    ServerState of(const netlink::VirtualServer& server, const netlink::RealServer& real, int weight) const;

private:
    const Draining& draining_;
    const Verdicts& verdicts_;
};

/// "failed probe", for people.
std::string_view word(ServerState state);
/// "failed_probe", the value of a label.
std::string_view label(ServerState state);

}  // namespace proxy
