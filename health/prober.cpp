#include "health/prober.hpp"

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <random>
#include <utility>

#include "base/rethrow.hpp"
#include "health/checks/blame.hpp"
#include "health/checks/checks.hpp"
#include "health/places.hpp"
#include "health/worker.hpp"

namespace health {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

constexpr std::array types = {ProbeType::readiness, ProbeType::liveness, ProbeType::startup};

std::size_t index_of(ProbeType type) {
    return static_cast<std::size_t>(type);
}

const std::optional<ProbeSpec>& spec_of(const Target& target, ProbeType type) {
    switch (type) {
        case ProbeType::readiness:
            return target.readiness;
        case ProbeType::liveness:
            return target.liveness;
        case ProbeType::startup:
            break;
    }
    return target.startup;
}

/// One probe of one container, being run by a coroutine.
struct Task {
    Task(const asio::any_io_executor& executor, ProbeSpec probe, Time first)
        : timer(executor), spec(std::move(probe)), schedule(first, spec.timing.period) {}
    asio::steady_timer timer;
    ProbeSpec spec;
    Schedule schedule;
    bool stopped = false;
    std::uint64_t successes_seen = 0;  // of all targets, at its last attempt
};

struct Container {
    Target target;
    Time seen;  // when this incarnation was first seen
    std::array<std::optional<Worker>, types.size()> workers;
    std::array<std::shared_ptr<Task>, types.size()> tasks;
    std::optional<Verdict> reported;
    std::string reason;

    const std::optional<Worker>& worker(ProbeType type) const { return workers[index_of(type)]; }
    bool started() const {
        const auto& startup = worker(ProbeType::startup);
        return !startup || startup->cached() == Cached::success;
    }
};

bool has_failed(const std::optional<Worker>& worker) {
    return worker && worker->decided() && worker->cached() == Cached::failure;
}

Verdict judge(const Container& container) {
    const auto& readiness = container.worker(ProbeType::readiness);
    for (const ProbeType type : types)
        if (has_failed(container.worker(type)))
            return Verdict::failed;
    if (!container.started() || (readiness && !readiness->decided()))
        return Verdict::unknown;
    return Verdict::ready;
}

}  // namespace

struct Prober::State : std::enable_shared_from_this<Prober::State> {
    State(asio::any_io_executor given_executor, ProberLimits given_limits, OnReport given_report,
          OnAttempt given_attempt)
        : executor(std::move(given_executor)),
          limits(std::move(given_limits)),
          on_report(std::move(given_report)),
          on_attempt(std::move(given_attempt)),
          places(executor, limits.in_flight),
          commands(executor, limits.commands) {
        if (!limits.perform)
            limits.perform = &perform;
    }

    asio::any_io_executor executor;
    ProberLimits limits;
    OnReport on_report;
    OnAttempt on_attempt;
    std::map<Subject, Container> containers;
    Places places;                // for attempts
    Places commands;              // for those of them that run a command
    std::uint64_t successes = 0;  // of all targets
    Time began = Clock::now();
    std::minstd_rand random{std::random_device{}()};

    std::chrono::milliseconds delay(const Timing& timing) {
        const auto running_for = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - began);
        return first_delay(timing, running_for, std::uniform_real_distribution<double>(0.0, 1.0)(random));
    }

    /// Nothing: the task was stopped meanwhile.
    asio::awaitable<std::optional<Outcome>> ask(std::shared_ptr<Task> task) {
        std::optional<Places::Held> command;
        if (std::holds_alternative<ExecCheck>(task->spec.check))
            command.emplace(co_await commands.take());
        const Places::Held place = co_await places.take();
        if (task->stopped)
            co_return std::nullopt;
        Outcome outcome = co_await attempt(limits.perform, task->spec.check, task->spec.timing.timeout);
        if (task->stopped)
            co_return std::nullopt;
        co_return outcome;
    }

    void stop(Container& container) {
        for (auto& task : container.tasks) {
            if (task) {
                task->stopped = true;
                task->timer.cancel();
            }
            task.reset();
        }
    }

    void start(const Subject& subject, Container& container) {
        for (const ProbeType type : types) {
            const auto& spec = spec_of(container.target, type);
            auto& worker = container.workers[index_of(type)];
            if (!spec) {
                worker.reset();
                continue;
            }
            if (!worker)
                worker.emplace(type, WorkerRules{limits.counters_survive, false, limits.rise});
            auto task = std::make_shared<Task>(executor, *spec, Clock::now() + delay(spec->timing));
            container.tasks[index_of(type)] = task;
            asio::co_spawn(
                executor, [self = shared_from_this(), subject, type, task] { return self->run(subject, type, task); },
                base::rethrow);
        }
    }

    /// Probes until stopped. Every look at the container after a wait is preceded by one at `stopped`. What a check
    /// throws is an answer; anything else that is thrown here ends the program, not a probe.
    asio::awaitable<void> run(Subject subject, ProbeType type, std::shared_ptr<Task> task) {
        while (!task->stopped) {
            task->timer.expires_at(task->schedule.due());
            boost::system::error_code woken;
            co_await task->timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
            if (task->stopped)
                co_return;
            if (!task->schedule.begin(Clock::now()))
                continue;
            const Decision decision = decide(subject, type, task->spec.timing);
            if (decision == Decision::end)
                co_return;
            if (decision == Decision::probe) {
                auto outcome = co_await ask(task);
                if (!outcome)
                    co_return;
                note(subject, type, task->spec.timing, settled(std::move(*outcome), *task));
                task->successes_seen = successes;
            }
            task->schedule.end(Clock::now());
        }
    }

    Decision decide(const Subject& subject, ProbeType type, const Timing& timing) {
        Container& container = containers.at(subject);
        Observation seen;
        seen.incarnation = container.target.incarnation;
        seen.started = container.started();
        seen.age = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - container.seen);
        return container.workers[index_of(type)]->tick(seen, timing);
    }

    Outcome settled(Outcome outcome, const Task& task) const {
        const bool ask = outcome.doubt == Doubt::silence && limits.host_trouble;
        return settle(std::move(outcome), task.successes_seen != successes, ask ? limits.host_trouble() : "");
    }

    void note(const Subject& subject, ProbeType type, const Timing& timing, const Outcome& outcome) {
        Container& container = containers.at(subject);
        const bool was_started = container.started();
        container.workers[index_of(type)]->answer(outcome.answer, timing);
        successes += outcome.answer == Answer::success || outcome.answer == Answer::warning ? 1 : 0;
        on_attempt({type, outcome.answer, outcome.took, outcome.answer == Answer::error ? outcome.reason : ""});
        if (outcome.answer == Answer::failure || outcome.answer == Answer::unknown)
            container.reason = outcome.reason;
        if (!was_started && container.started())
            trigger(container);
        report(subject, container);
    }

    /// The startup probe has succeeded: readiness need not wait for its next tick.
    void trigger(Container& container) {
        if (const auto& task = container.tasks[index_of(ProbeType::readiness)]) {
            task->schedule.trigger();
            task->timer.cancel();
        }
    }

    void report(const Subject& subject, Container& container) {
        const Verdict verdict = judge(container);
        if (container.reported == verdict)
            return;
        container.reported = verdict;
        on_report({subject, verdict, verdict == Verdict::failed ? container.reason : ""});
    }

    /// Those of [begin, end) that are not among the targets stop.
    void replace(std::map<Subject, Container>::iterator begin, std::map<Subject, Container>::iterator end,
                 std::map<Subject, Target> targets) {
        while (begin != end) {
            if (targets.contains(begin->first)) {
                ++begin;
                continue;
            }
            stop(begin->second);
            begin = containers.erase(begin);
        }
        for (auto& [subject, target] : targets)
            put(subject, std::move(target));
    }

    void put(const Subject& subject, Target target) {
        const auto [entry, fresh] = containers.try_emplace(subject);
        Container& container = entry->second;
        if (!fresh && container.target == target)
            return;
        stop(container);
        if (fresh || container.target.incarnation != target.incarnation) {
            container = {};
            container.seen = Clock::now();
        }
        container.target = std::move(target);
        start(subject, container);
        report(subject, container);
    }
};

Prober::Prober(asio::any_io_executor executor, ProberLimits limits, OnReport on_report, OnAttempt on_attempt)
    : state_(std::make_shared<State>(std::move(executor), std::move(limits), std::move(on_report),
                                     std::move(on_attempt))) {}

Prober::~Prober() {
    set_targets({});
}

void Prober::set_targets(std::map<Subject, Target> targets) {
    state_->replace(state_->containers.begin(), state_->containers.end(), std::move(targets));
}

void Prober::set_targets_of(const std::string& pod, std::map<Subject, Target> targets) {
    const auto begin = state_->containers.lower_bound(Subject{pod, ""});
    auto end = begin;
    while (end != state_->containers.end() && end->first.pod == pod)
        ++end;
    state_->replace(begin, end, std::move(targets));
}

Verdict Prober::verdict(const Subject& subject) const {
    const auto found = state_->containers.find(subject);
    return found == state_->containers.end() ? Verdict::unknown : judge(found->second);
}

std::size_t Prober::in_flight() const {
    return state_->places.taken();
}

}  // namespace health
