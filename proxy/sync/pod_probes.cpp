#include "proxy/sync/pod_probes.hpp"

#include <chrono>
#include <utility>

#include "proxy/log/log.hpp"
#include "proxy/serve/metric_labels.hpp"

namespace proxy {

using Clock = std::chrono::steady_clock;

PodProbes::PodProbes(boost::asio::any_io_executor executor, const Config& config, Word word, Metrics& metrics,
                     Changed changed)
    : metrics_(metrics),
      changed_(std::move(changed)),
      prober_(
          std::move(executor), limits(config, word), [this](const health::Report& report) { note_report(report); },
          [this](const health::Attempt& attempt) { note_attempt(attempt); }) {}

health::ProberLimits PodProbes::limits(const Config& config, Word word) {
    health::ProberLimits limits;
    limits.in_flight = static_cast<std::size_t>(config.probes_in_flight);
    limits.counters_survive = config.kubelet_compatible_counters;
    limits.rise = word == Word::second ? 2 : 1;  // rule 7 of docs/probing.md
    limits.host_trouble = [this] {
        return std::string(drops_.rising(read_tracking_drops(), Clock::now())
                               ? "connection tracking of this host is full and drops packets"
                               : "");
    };
    return limits;
}

void PodProbes::set_targets(std::map<std::string, std::map<health::Subject, health::Target>> by_pod) {
    for (auto& [pod, targets] : by_pod)
        prober_.set_targets_of(pod, std::move(targets));
}

void PodProbes::note_report(const health::Report& report) {
    metrics_.probe_transitions.Add({{"to", std::string(word(report.verdict))}}).Increment();
    if (report.verdict != health::Verdict::unknown) {
        const bool failed = report.verdict == health::Verdict::failed;
        log::write(failed ? log::Level::warning : log::Level::info,
                   failed ? "pod failed its probe" : "pod passes its probe",
                   {{"pod", report.subject.pod}, {"container", report.subject.container}, {"reason", report.reason}});
    }
    changed_(report);
}

void PodProbes::note_attempt(const health::Attempt& attempt) {
    const std::string type(word(attempt.type));
    metrics_.probes.Add({{"type", type}, {"result", std::string(word(attempt.answer))}}).Increment();
    metrics_.probe_seconds.Add({{"type", type}}, time_buckets())
        .Observe(std::chrono::duration<double>(attempt.took).count());
    if (attempt.answer == health::Answer::error)
        trouble_.note(attempt.reason, Clock::now());
}

}  // namespace proxy
