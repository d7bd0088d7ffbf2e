// The metrics of the role controller. Names and conventions are those of the node's (proxy/serve/metrics.hpp).
#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <map>
#include <string>

#include "api/cluster/api_client.hpp"
#include "proxy/controller/address_allocator.hpp"

namespace proxy {

struct ControllerMetrics {
    ControllerMetrics();

    /// The Prometheus text format, version 0.0.4.
    std::string text() const;

    /// What the pools have and who goes without. `allocator`: nullptr while this controller does not lead: it knows
    /// nothing then, and says nothing of pools.
    void set_pools(const AddressAllocator* allocator);
    void set_config(bool loaded, bool stale);

    prometheus::Registry registry;
    prometheus::Gauge& leader;
    prometheus::Counter& terms;
    prometheus::Gauge& config_loaded;
    prometheus::Gauge& config_stale;
    prometheus::Family<prometheus::Gauge>& pool_addresses;         // pool, ip_family=IPv4|IPv6
    prometheus::Family<prometheus::Gauge>& pool_addresses_in_use;  // pool, ip_family
    prometheus::Family<prometheus::Gauge>& unsatisfied;            // reason, of AddressFate
    prometheus::Family<prometheus::Counter>& status_writes;        // result=written|conflict|refused|unknown
    prometheus::Family<prometheus::Counter>& api_requests;         // verb, code
    prometheus::Family<prometheus::Counter>& watch_restarts;       // reason
    prometheus::Family<prometheus::Counter>& events_lost;          // reason

private:
    std::vector<std::pair<prometheus::Family<prometheus::Gauge>*, prometheus::Gauge*>> of_pools_;
};

/// They count in `metrics`, which must outlive them, and log.
api::ApiHooks controller_hooks(ControllerMetrics& metrics);

}  // namespace proxy
