// Runs the probes: one coroutine per target, which asks the pure worker (worker.hpp) what to do and performs it.
#pragma once

#include "health/attempt.hpp"
#include "health/checks/probe.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace health {

/// The probes of one container. incarnation: changes when the container was restarted or replaced (its container
/// ID, or the pod's UID and address where no ID is known); a new one starts from the initial verdict.
struct Target {
    std::string incarnation;
    std::optional<ProbeSpec> readiness;
    std::optional<ProbeSpec> liveness;
    std::optional<ProbeSpec> startup;
    bool operator==(const Target&) const = default;
};

/// Verdict on one container. `unknown`: a readiness or startup probe has not decided yet.
enum class Verdict : std::uint8_t { unknown, ready, failed };

struct Report {
    Subject subject;
    Verdict verdict = Verdict::unknown;
    std::string reason;  ///< of the last failure, for people
};

/// Called after every attempt; for metrics, and to say what is wrong with this host.
struct Attempt {
    ProbeType type = ProbeType::readiness;
    Answer answer = Answer::unknown;
    std::chrono::microseconds took{0};
    std::string reason;  ///< of an error: why this host could not ask
};

struct ProberLimits {
    std::size_t in_flight = 256;    ///< attempts at the same time; further ones wait
    std::size_t commands = 8;       ///< of these, commands in containers: each is a process on the node
    bool counters_survive = false;  ///< a new incarnation keeps the counters (worker.hpp)
    /// How this host loses packets now, asked when nothing came back from a target; empty: it does not.
    std::function<std::string()> host_trouble;
    int rise = 1;  ///< successes in a row that take back a failure, at least
    /// How a target is asked; empty: as its check says (checks/checks.hpp).
    Perform perform;
};

class Prober {
public:
    using OnReport = std::function<void(const Report&)>;
    using OnAttempt = std::function<void(const Attempt&)>;

    /// on_report is called on every change of a verdict (also: the first one), from the executor's thread.
    Prober(boost::asio::any_io_executor executor, ProberLimits limits, OnReport on_report, OnAttempt on_attempt);
    ~Prober();
    Prober(const Prober&) = delete;
    Prober& operator=(const Prober&) = delete;

    /// The complete set of what is to be probed. Unchanged targets go on undisturbed, absent ones stop (and are
    /// forgotten), changed ones start anew; a changed timing or check with the same incarnation keeps its verdict.
    void set_targets(std::map<Subject, Target> targets);

    /// The same for the containers of one pod; none: it is not probed any more. Costs what these are.
    void set_targets_of(const std::string& pod, std::map<Subject, Target> targets);

    /// The present verdict; unknown for a subject that is not probed.
    Verdict verdict(const Subject& subject) const;

    std::size_t in_flight() const;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace health
