// The metrics of the role `edge`, beside those of all roles (metrics.hpp).
#pragma once

#include "proxy/serve/metrics.hpp"

namespace proxy {

struct EdgeMetrics {
    /// They are on the page of `metrics`, which must outlive this.
    explicit EdgeMetrics(Metrics& metrics);

    prometheus::Family<prometheus::Gauge>& backends;       // state, a word of proxy/edge/fate.hpp
    prometheus::Family<prometheus::Counter>& transitions;  // to, a word of what a check finds
    prometheus::Gauge& panicking;
    prometheus::Gauge& incident;
    prometheus::Gauge& checks;
};

}  // namespace proxy
