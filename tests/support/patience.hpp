// Deadlines of tests: how long to wait for what is going to happen.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>

namespace testing {

#ifdef __has_feature
inline constexpr bool instrumented = __has_feature(thread_sanitizer) || __has_feature(address_sanitizer);
#else
inline constexpr bool instrumented = false;
#endif

/// `usual`, on a machine that has nothing else to do; the busier it is the longer, at most 20 times, and longer under
/// sanitizers. Not for times that are themselves what is tested.
inline std::chrono::milliseconds patience(std::chrono::milliseconds usual) {
    constexpr double slower = instrumented ? 4 : 1;
    double load = 0;
    if (::getloadavg(&load, 1) != 1)
        load = 0;
    const double share = load / std::max(1U, std::thread::hardware_concurrency());
    const double factor = slower * std::clamp(share, 1.0, 20.0);
    return std::chrono::milliseconds(static_cast<std::int64_t>(factor * static_cast<double>(usual.count())));
}

}  // namespace testing
