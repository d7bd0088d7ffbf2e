// Knows whether the kernel can be spoken to, round by round. A round that has failed is over only when an audit has
// succeeded: until then nobody knows what the kernel has. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "proxy/engine/refusals.hpp"

namespace proxy {

class Rounds {
public:
    static constexpr std::chrono::seconds pause{1};  ///< after a failure

    void fail(std::string reason, Time now) {
        since_ = since_.value_or(now);
        reason_ = std::move(reason);
        again_ = now + pause;
    }
    void audited() { since_.reset(); }

    /// The last round has failed: an audit comes before anything else.
    bool failed() const { return since_.has_value(); }
    /// When the next round may begin after a failure.
    Time again() const { return again_; }
    bool may_begin(Time now) const { return !failed() || now >= again_; }

    /// `podferry status` shows it.
    std::optional<std::string> problem() const {
        if (!failed())
            return std::nullopt;
        return "the kernel cannot be programmed: " + reason_ + "; retrying every second";
    }

private:
    std::optional<Time> since_;
    std::string reason_;
    Time again_;
};

}  // namespace proxy
