// The kubelet's probe worker as a pure state machine (pkg/kubelet/prober/worker.go): what a tick does, what an answer
// changes. One worker per container and probe type.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "health/checks/probe.hpp"

namespace health {

/// What a tick sees of the container.
struct Observation {
    bool known = true;        ///< the pod's status is known
    bool terminal = false;    ///< the pod's phase is Failed or Succeeded
    std::string incarnation;  ///< container ID; empty: there is none yet
    bool running = true;
    bool terminated = false;      ///< not running, and has run
    bool restarts_never = false;  ///< restartPolicy Never
    bool started = true;          ///< its startup probe has succeeded, or it has none
    bool deleting = false;        ///< the pod has a deletion timestamp
    std::chrono::seconds age{0};  ///< whole seconds since the container started
};

struct WorkerRules {
    /// True: counters survive a new incarnation, as in the kubelet, so that one failure can be enough for a fresh
    /// container. False: each incarnation starts with counters at zero.
    bool counters_survive = false;
    /// True: after a liveness or startup failure nothing is probed until a new incarnation (the kubelet, which
    /// restarts the container). False: probing goes on, so that recovery is seen where nobody restarts anything.
    bool hold = false;
    /// So many successes in a row take back a failure, if the probe's own threshold is not more.
    int rise = 1;
};

enum class Decision : std::uint8_t { probe, skip, end };
enum class Cached : std::uint8_t { unknown, success, failure };

class Worker {
public:
    Worker(ProbeType type, WorkerRules rules) : type_(type), rules_(rules) {}

    /// What the tick is to do. May change the cached value by itself (new incarnation, not running, deletion).
    Decision tick(const Observation& seen, const Timing& timing);

    /// The answer to a tick that said probe. An error changes nothing.
    void answer(Answer answer, const Timing& timing);

    Cached cached() const { return cached_; }
    /// True once a probe (or the container's end) has decided for this incarnation.
    bool decided() const { return decided_; }
    int run() const { return run_; }
    bool on_hold() const { return on_hold_; }

private:
    void renew(const std::string& incarnation);
    void store(Cached value);

    ProbeType type_;
    WorkerRules rules_;
    std::string incarnation_;
    Cached cached_ = Cached::unknown;
    Cached last_ = Cached::success;
    int run_ = 0;
    bool on_hold_ = false;
    bool decided_ = false;
};

/// When the first probe starts. The delay spreads what starts together: a fraction (0 <= jitter < 1) of the period,
/// unless the prober has been running for longer than that.
std::chrono::milliseconds first_delay(const Timing& timing, std::chrono::seconds running_for, double jitter);

/// When the attempts of one probe begin: at first + n * period, as a ticker of Go says. Ticks that are missed while an
/// attempt runs are dropped, but for one.
class Schedule {
public:
    Schedule(Time first, std::chrono::seconds period) : first_(first), due_(first), period_(period) {}

    /// When to call begin().
    Time due() const { return due_; }
    /// Now, whatever the ticks say, and the next ticks count from then on (the worker's manualTriggerCh). While an
    /// attempt runs: when that ends.
    void trigger();
    /// False: it is not time yet, so wait again.
    bool begin(Time now);
    /// The attempt, if there was one, is over.
    void end(Time now);

private:
    Time first_;
    Time due_;
    Time last_;
    std::chrono::seconds period_;
    bool triggered_ = false;
};

}  // namespace health
