// Durations as Kubernetes' configuration files write them.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace base {

/// Go's time.ParseDuration: "30s", "1h30m", "1.5s", "-2m", "0"; units ns, us, ms, s, m, h. Nothing for any other text,
/// nor for what exceeds 292 years.
std::optional<std::chrono::nanoseconds> parse_go_duration(std::string_view text);

}  // namespace base
