// Names the values that labels can have. They are closed sets, so that every counter exists from the start and a rate
// sees its first event. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "health/checks/probe.hpp"
#include "health/guard/node_check.hpp"
#include "health/prober.hpp"

namespace proxy {

struct Metrics;

/// What does not fit into a closed set.
inline constexpr const char* other_label = "other";

std::string_view word(health::Verdict verdict);
std::string_view word(health::ProbeType type);
std::string_view word(health::Answer answer);
/// "alive"
std::string_view word(health::NodeLife life);
inline constexpr health::NodeLife all_node_lives[] = {health::NodeLife::unknown, health::NodeLife::alive,
                                                      health::NodeLife::suspect, health::NodeLife::dead};

/// The label of podferry_drift_repairs_total: the first word of what was put back, if it is one of those that are
/// known.
std::string drift_label(std::string_view what);

/// The label of podferry_api_requests_total: a status that tells something of its own, else its class, "5xx".
std::string code_label(const std::string& code);

/// The label of podferry_api_watch_restarts_total.
std::string restart_label(const std::string& reason);

/// Makes every combination of labels that there can be.
void create_known_labels(Metrics& metrics);

}  // namespace proxy
