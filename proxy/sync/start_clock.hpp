// Measures the phases of a start, for podferry_start_seconds.
#pragma once

#include <chrono>

#include "proxy/engine/reconciler.hpp"
#include "proxy/serve/metrics.hpp"

namespace proxy {

class StartClock {
public:
    /// `began`: when the program was started.
    explicit StartClock(Time began) : began_(began), phase_(began) {}

    /// A phase begins: what was before is not measured.
    void begin_phase() { phase_ = std::chrono::steady_clock::now(); }
    /// It has ended, and the next one begins.
    void end_phase(Metrics& metrics, const char* phase) {
        metrics.start_seconds.Add({{"phase", phase}}).Set(seconds_since(phase_));
        begin_phase();
    }
    void complete(Metrics& metrics) const {
        metrics.start_seconds.Add({{"phase", "complete"}}).Set(seconds_since(began_));
    }

    Time began() const { return began_; }

private:
    Time began_;
    Time phase_;
};

}  // namespace proxy
