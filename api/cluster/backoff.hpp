// How long to wait before something is tried again.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace api {

/// From 800 ms doubling to 30 s, and up to twice that by jitter (client-go's reflector): when 5,000 nodes lose their
/// server together, they do not come back together. `failures`: in a row, at least 1; `jitter`: 0 to 1.
inline std::chrono::milliseconds pause_after(std::size_t failures, double jitter) {
    constexpr std::chrono::milliseconds first{800};
    constexpr std::chrono::milliseconds longest{30'000};
    const auto doubled = first * (1U << std::min<std::size_t>(failures - 1, 6));
    const auto pause = std::min<std::chrono::milliseconds>(doubled, longest);
    return pause + std::chrono::duration_cast<std::chrono::milliseconds>(pause * jitter);
}

/// The failures of one resource in a row. What ends them is a watch that has lived for a while: a list alone does not,
/// or a server whose watches end at once would be asked for lists without a pause.
class Streak {
public:
    /// How long to wait now. `another`: what is asked next is something else than what failed, so that the first
    /// failure costs no pause.
    std::chrono::milliseconds failed(bool another, double jitter) {
        ++failures_;
        return another && failures_ == 1 ? std::chrono::milliseconds(0) : pause_after(failures_, jitter);
    }
    void proven() { failures_ = 0; }
    bool lasts() const { return failures_ > 0; }

private:
    std::size_t failures_ = 0;
};

}  // namespace api
