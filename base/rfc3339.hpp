// Times as Kubernetes writes them.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace base {

/// "2026-01-31T12:00:00Z", "2026-01-31T12:00:00.25+01:00"; nothing else. Times outside what the clock can hold (the
/// years 1678 to 2262) are its first or last moment: "9999-12-31T23:59:59Z" means never.
std::optional<std::chrono::system_clock::time_point> parse_rfc3339(std::string_view text);

/// "2026-01-31T12:00:00Z". Times outside the years 1 to 9999, which have no such text, are the first or the last
/// moment.
std::string to_rfc3339(std::chrono::sys_seconds time);

}  // namespace base
