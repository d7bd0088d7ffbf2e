// Probes pods for the engine, counts what comes of it, and knows when this host is to blame and not the pods.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "health/prober.hpp"
#include "proxy/config/config.hpp"
#include "proxy/serve/metrics.hpp"
#include "proxy/sync/probe_trouble.hpp"
#include "proxy/sync/tracking_drops.hpp"

namespace proxy {

class PodProbes {
public:
    using Changed = std::function<void(const health::Report& report)>;
    /// Whether the pods' readiness is podferry's to say, or another's: then it takes more to take a word back.
    enum class Word : std::uint8_t { first, second };

    /// `changed` is called on the loop when the verdict on a container has changed. `metrics` must outlive it.
    PodProbes(boost::asio::any_io_executor executor, const Config& config, Word word, Metrics& metrics,
              Changed changed);

    /// What is to be probed of each of these pods now, by their names in a Subject (proxy/engine/probing.hpp).
    void set_targets(std::map<std::string, std::map<health::Subject, health::Target>> by_pod);

    std::size_t in_flight() const { return prober_.in_flight(); }
    /// Why this host could not make some probes within the last minute; nullopt: it could.
    std::optional<std::string> problem(Time now) const { return trouble_.problem(now); }
    /// Reads what connection tracking has dropped so far: what is compared with when a probe has no answer.
    void look_at_drops(Time now) { drops_.rising(read_tracking_drops(), now); }

private:
    health::ProberLimits limits(const Config& config, Word word);
    void note_report(const health::Report& report);
    void note_attempt(const health::Attempt& attempt);

    Metrics& metrics_;
    Changed changed_;
    TrackingDrops drops_;
    ProbeTrouble trouble_;
    health::Prober prober_;
};

}  // namespace proxy
