#include "proxy/controller/controller_metrics.hpp"

#include <prometheus/text_serializer.h>

#include "proxy/serve/metric_labels.hpp"
#include "proxy/sync/cluster.hpp"

namespace proxy {
namespace {

using prometheus::Registry;

auto& gauge(Registry& registry, const char* name, const char* help) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

auto& counter(Registry& registry, const char* name, const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

}  // namespace

ControllerMetrics::ControllerMetrics()
    : leader(gauge(registry, "podferry_lb_leader", "1 while this controller leads.").Add({})),
      terms(counter(registry, "podferry_lb_terms_total", "How often this controller has begun to lead.").Add({})),
      config_loaded(gauge(registry, "podferry_lb_config_loaded", "1 once a configuration has been read.").Add({})),
      config_stale(gauge(registry, "podferry_lb_config_stale",
                         "1 while the configuration file has mistakes and the last good one is in force.")
                       .Add({})),
      pool_addresses(gauge(registry, "podferry_lb_pool_addresses",
                           "Addresses that a pool can give; at most 2^32. Of the leader only.")),
      pool_addresses_in_use(gauge(registry, "podferry_lb_pool_addresses_in_use",
                                  "Addresses of a pool that Services have. Of the leader only.")),
      unsatisfied(gauge(registry, "podferry_lb_services_unsatisfied",
                        "Services that do not have the address that they ask for, by the reason of their condition.")),
      status_writes(counter(registry, "podferry_lb_status_writes_total", "Writes of statuses of Services.")),
      api_requests(
          counter(registry, "podferry_api_requests_total", "Requests to the Kubernetes API, by verb and HTTP status.")),
      watch_restarts(counter(registry, "podferry_api_watch_restarts_total",
                             "Watches that have ended and were begun anew, by reason.")),
      events_lost(counter(registry, "podferry_events_lost_total", "Events that could not be written, by reason.")) {
    gauge(registry, "podferry_build_info", "Always 1; the version is a label.")
        .Add({{"version", PODFERRY_VERSION}})
        .Set(1);
    for (const std::string_view fate : address_fates().subspan(2))
        unsatisfied.Add({{"reason", std::string(fate)}});
    for (const char* result : {"written", "conflict", "refused", "unknown"})
        status_writes.Add({{"result", result}});
    for (const std::string_view loss : api::event_losses)
        events_lost.Add({{"reason", std::string(loss)}});
}

std::string ControllerMetrics::text() const {
    return prometheus::TextSerializer().Serialize(registry.Collect());
}

void ControllerMetrics::set_config(bool loaded, bool stale) {
    config_loaded.Set(loaded ? 1 : 0);
    config_stale.Set(stale ? 1 : 0);
}

void ControllerMetrics::set_pools(const AddressAllocator* allocator) {
    for (const auto& [family, one] : std::exchange(of_pools_, {}))
        family->Remove(one);
    const auto put = [&](auto& family, const prometheus::Labels& labels, std::uint64_t value) {
        auto& one = family.Add(labels);
        one.Set(static_cast<double>(value));
        of_pools_.emplace_back(&family, &one);
    };
    std::map<AddressFate, std::size_t> without;
    if (allocator != nullptr) {
        for (const AddressPool& pool : allocator->config().pools)
            for (const api::Family family : {api::Family::ipv4, api::Family::ipv6}) {
                if (!pool.has_family(family))
                    continue;
                const prometheus::Labels labels{{"pool", pool.name},
                                                {"ip_family", family == api::Family::ipv6 ? "IPv6" : "IPv4"}};
                put(pool_addresses, labels, pool.size(family));
                put(pool_addresses_in_use, labels, allocator->ledger().used_of(pool, family));
            }
        for (const auto& [service, fate] : allocator->unsatisfied())
            ++without[fate];
    }
    for (std::size_t i = 2; i < address_fates().size(); ++i)
        unsatisfied.Add({{"reason", std::string(address_fates()[i])}})
            .Set(static_cast<double>(without[static_cast<AddressFate>(i)]));
}

api::ApiHooks controller_hooks(ControllerMetrics& metrics) {
    api::ApiHooks hooks = logging_hooks();
    hooks.request = [&metrics](const std::string& verb, const std::string& code) {
        metrics.api_requests.Add({{"verb", verb}, {"code", code_label(code)}}).Increment();
    };
    hooks.watch_restarted = [&metrics](const std::string&, const std::string& reason) {
        metrics.watch_restarts.Add({{"reason", restart_label(reason)}}).Increment();
    };
    hooks.event_lost = [&metrics, log = std::move(hooks.event_lost)](api::EventLoss loss, const std::string& detail) {
        metrics.events_lost.Add({{"reason", std::string(word(loss))}}).Increment();
        log(loss, detail);
    };
    return hooks;
}

}  // namespace proxy
