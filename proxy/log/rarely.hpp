// What would be said too often is said at once, and then ever more seldom. Pure.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <utility>

namespace proxy {

class Rarely {
public:
    using Time = std::chrono::steady_clock::time_point;

    /// It has happened again. How often it has since it was last said, when it is to be said now: the first time, then
    /// after a minute, doubling to an hour. After two hours without it all begins anew.
    std::optional<std::size_t> happened(Time now) {
        if (count_ > 0 && now >= last_ + quiet)
            *this = {};
        last_ = now;
        ++count_;
        ++unsaid_;
        if (count_ > 1 && now < next_)
            return std::nullopt;
        pause_ = count_ == 1 ? shortest : std::min(2 * pause_, longest);
        next_ = now + pause_;
        return std::exchange(unsaid_, 0);
    }

private:
    static constexpr std::chrono::seconds shortest{60};
    static constexpr std::chrono::seconds longest{3600};
    static constexpr std::chrono::seconds quiet{7200};

    std::chrono::seconds pause_{0};
    Time next_;
    Time last_;
    std::size_t count_ = 0;
    std::size_t unsaid_ = 0;
};

}  // namespace proxy
