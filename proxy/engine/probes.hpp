// Which containers of a pod are probed and how, and what their verdicts say of the pod: the translation between api's
// probes and health's targets. Pure.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/objects/types.hpp"
#include "health/prober.hpp"

namespace proxy {

/// The probes of the pod that podferry runs: readiness, liveness and startup probes with httpGet or tcpSocket. None for
/// a pod without an address, or that has ended. A named port is looked up in the same container (probes.cpp); a
/// probe whose port cannot be resolved is reported in `problems` and left out.
std::map<health::Subject, health::Target> probe_targets(const api::Pod& pod, std::vector<std::string>& problems);

/// The pod's name in a Subject.
std::string probe_name(const api::ObjectName& pod);

using VerdictOf = std::function<health::Verdict(const health::Subject&)>;

enum class PodVerdict { not_probed, unknown, ready, failed };

/// Failed if any container has failed; else unknown if any has not answered; else ready.
PodVerdict pod_verdict(const api::Pod& pod, const VerdictOf& verdict_of);

}  // namespace proxy
