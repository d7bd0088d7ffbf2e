// What an edge gives the engine: a front end and its backends' fates as a Service and EndpointSlices, as an API server
// would have them. Pure.
//
// A backend that is in is an endpoint that is ready; one that is out is not ready, so that it drains; one that is
// silent is terminating, and one that is dead is none any more: what has been terminating and is gone has ended, and
// its clients hear of it (engine/departures.hpp). Weights go along as an annotation of the Service, which only the
// edge's plan reads (edge_plan.hpp).
#pragma once

#include <string>
#include <vector>

#include "api/objects/types.hpp"
#include "proxy/edge/balanced.hpp"
#include "proxy/edge/fate.hpp"

namespace proxy {

struct Carried {
    api::Service service;
    std::vector<api::EndpointSlice> slices;
    bool operator==(const Carried&) const = default;
};

/// `fates`: of the backends, in their order. Those of one family with the same ports are a slice.
Carried carried_of(const Balanced& balanced, const std::vector<BackendFate>& fates);

}  // namespace proxy
