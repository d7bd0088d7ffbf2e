#include "proxy/plan/selection.hpp"

#include <algorithm>

namespace proxy {
namespace {

using api::Hint;
using api::ResolvedEndpoint;

bool is_fallback(const ResolvedEndpoint* endpoint) {
    return !endpoint->ready && endpoint->serving && endpoint->terminating;
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

/// Hints count only when every ready endpoint has one and some are for us: a half-written set must not cut anybody off.
EndpointList near(const EndpointList& ready, const Place& place) {
    const std::pair<Hint::Scope, const std::string*> scopes[] = {{Hint::Scope::node, &place.node},
                                                                 {Hint::Scope::zone, &place.zone}};
    for (const auto& [scope, name] : scopes) {
        if (name->empty() ||
            !std::all_of(ready.begin(), ready.end(), [&](const auto* endpoint) { return has_hint(endpoint, scope); }))
            continue;
        EndpointList ours = those(ready, [&](const auto* endpoint) { return is_meant_for(endpoint, scope, *name); });
        if (!ours.empty())
            return ours;
    }
    return ready;
}

}  // namespace

Selection select(const EndpointList& endpoints, const Place& place) {
    const EndpointList ready = those(endpoints, [](const auto* endpoint) { return endpoint->ready; });
    const EndpointList fallback = those(endpoints, is_fallback);
    const auto is_local = [](const auto* endpoint) { return endpoint->local; };
    Selection selection;
    selection.cluster = ready.empty() ? fallback : near(ready, place);
    selection.local = those(ready, is_local);
    if (selection.local.empty())
        selection.local = those(fallback, is_local);
    selection.has_any = !ready.empty() || !fallback.empty();
    return selection;
}

}  // namespace proxy
