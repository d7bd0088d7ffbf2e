// How much the loop does in one go once it has started: nothing else is answered, read or probed meanwhile. A turn is
// to take less than 50 ms on the machine itself (tests/bench/plan.cpp, docs/performance.md).
#pragma once

#include <cstddef>

namespace proxy::turns {

inline constexpr std::size_t plan_slice = 8192;  ///< objects that are looked at in planning, and later compared
inline constexpr std::size_t batch_size = 2048;  ///< changes given to the kernel
inline constexpr std::size_t page_slice = 8192;  ///< front ends and real servers shown
inline constexpr std::size_t port_slice = 64;    ///< Services whose health check ports are counted

}  // namespace proxy::turns
