#include "proxy/plan/selection.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

namespace proxy {
namespace {

using api::Hint;
using api::ResolvedEndpoint;

bool is_fallback(const ResolvedEndpoint* endpoint) {
    return !endpoint->ready && endpoint->serving && endpoint->terminating && !endpoint->gone;
}

bool is_ready(const ResolvedEndpoint* endpoint) {
    return endpoint->ready && !endpoint->vetoed;
}

bool is_ready_here(const ResolvedEndpoint* endpoint) {
    return endpoint->local && endpoint->ready && !endpoint->vetoed_here;
}

template <class Test>
EndpointList those(const EndpointList& endpoints, Test test) {
    EndpointList chosen;
    std::copy_if(endpoints.begin(), endpoints.end(), std::back_inserter(chosen), test);
    return chosen;
}

bool has_hint(const ResolvedEndpoint* endpoint, Hint::Scope scope) {
    return std::any_of(endpoint->hints->begin(), endpoint->hints->end(),
                       [&](const Hint& hint) { return hint.scope == scope; });
}

bool is_meant_for(const ResolvedEndpoint* endpoint, Hint::Scope scope, const std::string& name) {
    return std::any_of(endpoint->hints->begin(), endpoint->hints->end(),
                       [&](const Hint& hint) { return hint.scope == scope && hint.name == name; });
}

/// The hints that count: for whom an endpoint must be meant.
struct Wanted {
    Hint::Scope scope;
    const std::string* name;
};

/// Hints count only when every ready endpoint has one and some are for us: a half-written set must not cut anybody off.
std::optional<Wanted> hints_that_count(const EndpointList& ready, const Place& place) {
    for (const Wanted wanted : {Wanted{Hint::Scope::node, &place.node}, Wanted{Hint::Scope::zone, &place.zone}}) {
        const auto& [scope, name] = wanted;
        if (name->empty() ||
            !std::all_of(ready.begin(), ready.end(), [&](const auto* endpoint) { return has_hint(endpoint, scope); }))
            continue;
        if (std::any_of(ready.begin(), ready.end(),
                        [&](const auto* endpoint) { return is_meant_for(endpoint, scope, *name); }))
            return wanted;
    }
    return std::nullopt;
}

/// Why one that is not ready is not selected.
EndpointFate reason_of(const ResolvedEndpoint& endpoint) {
    if (endpoint.gone)
        return EndpointFate::dead_node;
    if (endpoint.ready)  // it is vetoed
        return EndpointFate::failed_probe;
    if (endpoint.unknown)
        return EndpointFate::not_probed;
    if (endpoint.terminating)
        return EndpointFate::terminating;
    return endpoint.failed ? EndpointFate::failed_probe : EndpointFate::not_ready;
}

EndpointFate cluster_fate(const ResolvedEndpoint* endpoint, bool any_ready, const std::optional<Wanted>& hints) {
    if (!is_ready(endpoint))
        return !any_ready && is_fallback(endpoint) ? EndpointFate::selected : reason_of(*endpoint);
    if (!hints || is_meant_for(endpoint, hints->scope, *hints->name))
        return EndpointFate::selected;
    return hints->scope == Hint::Scope::node ? EndpointFate::other_node : EndpointFate::other_zone;
}

EndpointFate local_fate(const ResolvedEndpoint* endpoint, bool any_local_ready) {
    if (!endpoint->local)
        return EndpointFate::not_local;
    if (is_ready_here(endpoint) || (!any_local_ready && is_fallback(endpoint)))
        return EndpointFate::selected;
    return reason_of(*endpoint);
}

}  // namespace

std::string_view word(EndpointFate fate) {
    static constexpr std::array<std::string_view, 9> words = {"selected",        "not on this node", "for other nodes",
                                                              "for other zones", "not probed yet",   "terminating",
                                                              "failed probe",    "on a dead node",   "not ready"};
    return words.at(static_cast<std::size_t>(fate));
}

Selection select(const EndpointList& endpoints, const Place& place) {
    const EndpointList ready = those(endpoints, is_ready);
    const bool any_local_ready =
        std::any_of(endpoints.begin(), endpoints.end(), [](const auto* endpoint) { return is_ready_here(endpoint); });
    const auto hints = hints_that_count(ready, place);
    Selection selection;
    selection.fates.reserve(endpoints.size());
    for (const ResolvedEndpoint* endpoint : endpoints) {
        const EndpointFates fates{cluster_fate(endpoint, !ready.empty(), hints), local_fate(endpoint, any_local_ready)};
        selection.fates.push_back(fates);
        if (fates.cluster == EndpointFate::selected)
            selection.cluster.push_back(endpoint);
        if (fates.local == EndpointFate::selected)
            selection.local.push_back(endpoint);
        selection.has_any = selection.has_any || endpoint->ready || is_fallback(endpoint);
    }
    return selection;
}

}  // namespace proxy
