// How long to wait before something is tried again.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace api {

/// What pauses double from, and where they end (client-go's reflector).
struct Pauses {
    std::chrono::milliseconds first{800};
    std::chrono::milliseconds longest{30'000};
};

/// Jitter makes a pause up to twice as long: when 5,000 nodes lose their server together, they do not come back
/// together. `failures`: in a row, at least 1; `jitter`: 0 to 1.
inline std::chrono::milliseconds pause_after(std::size_t failures, double jitter, const Pauses& pauses = {}) {
    const auto doubled = pauses.first * (1U << std::min<std::size_t>(failures - 1, 6));
    const auto pause = std::min<std::chrono::milliseconds>(doubled, pauses.longest);
    return pause + std::chrono::duration_cast<std::chrono::milliseconds>(pause * jitter);
}

/// The failures of one resource in a row. What ends them is a watch that has lived for a while: a list alone does not,
/// or a server whose watches end at once would be asked for lists without a pause.
class Streak {
public:
    explicit Streak(Pauses pauses = {}) : pauses_(pauses) {}
    /// How long to wait now. `another`: what is asked next is something else than what failed, so that the first
    /// failure costs no pause.
    std::chrono::milliseconds failed(bool another, double jitter) {
        ++failures_;
        return another && failures_ == 1 ? std::chrono::milliseconds(0) : pause_after(failures_, jitter, pauses_);
    }
    void proven() { failures_ = 0; }
    bool lasts() const { return failures_ > 0; }

private:
    Pauses pauses_;
    std::size_t failures_ = 0;
};

}  // namespace api
