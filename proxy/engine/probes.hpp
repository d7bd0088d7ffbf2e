// Which containers of a pod are probed and how, and what their verdicts say of the pod: the translation between api's
// probes and health's targets. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/objects/endpoints.hpp"
#include "api/objects/types.hpp"
#include "health/prober.hpp"
#include "proxy/plan/verdicts.hpp"

namespace proxy {

/// The probes of the pod that podferry runs: readiness, liveness and startup probes. None for a pod without an address,
/// or that has ended. A named port is looked up in the same container (probes.cpp); a probe whose port cannot be
/// resolved is reported in `problems` and left out, and so is an exec probe without a `runtime_socket`.
std::map<health::Subject, health::Target> probe_targets(const api::Pod& pod, const std::string& runtime_socket,
                                                        std::vector<std::string>& problems);

/// The pod's name in a Subject.
std::string probe_name(const api::ObjectName& pod);

/// What the prober's word makes of the pod's readiness. Without one, endpoints_of() looks at the status that the file
/// gives; a pod with neither, whose readiness probe podferry cannot run, counts as ready, and one whose probe names no
/// port of its own never does.
api::PodReadiness readiness_of(const api::Pod& pod, PodVerdict verdict);

}  // namespace proxy
