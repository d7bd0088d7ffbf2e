// An edge's front ends with their backends, for people: as JSON, and as a table. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proxy/edge/balancer.hpp"

namespace proxy {

/// {"waitingFor": "", "frontEnds": [{"namespace", "name", "addresses", "ports", "panics", "backends": [{"name",
/// "addresses", "ports", "weight", "state", "reason", "check"}]}]}
std::string front_ends_json(const std::vector<BalancedView>& views, const std::string& waiting_for);

/// The table of that. Throws std::exception on JSON of another shape.
std::string front_ends_table(std::string_view json);

/// Whether `podferry backends` ends with 1: something is waited for, or a front end has no backend that gets
/// connections.
bool lacks_backends(std::string_view json);

}  // namespace proxy
