// How this node reaches the Kubernetes API, and what is counted and logged of that.
#pragma once

#include <string>
#include <tl/expected.hpp>

#include "api/api_client.hpp"
#include "api/kubeconfig.hpp"
#include "proxy/config.hpp"
#include "proxy/metrics.hpp"

namespace proxy {

/// The kubeconfig's access, or the pod's own; `api_servers` take the place of its servers. The error says what to do.
tl::expected<api::Access, std::string> access_of(const Config& config);

/// They count in `metrics`, which must outlive them.
api::ApiHooks api_hooks(Metrics& metrics);

}  // namespace proxy
