// Finds out how this node reaches the Kubernetes API, and counts and logs what comes of that.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "api/cluster/api_client.hpp"
#include "api/cluster/kubeconfig.hpp"
#include "proxy/config/config.hpp"
#include "proxy/plan/address_book.hpp"
#include "proxy/serve/metrics.hpp"

namespace proxy {

/// The kubeconfig's access, or the pod's own; `api_servers` replace its servers, and for a pod's that are not set
/// others are looked for (api_lookup.hpp), which the log then says. The error says what to do.
tl::expected<api::Access, std::string> access_of(const Config& config);

/// Those of its servers that are addresses, not names.
std::vector<ServerAddress> server_addresses(const api::Access& access);

/// They log what people should know: that the API is away, what it does not have, which Events are not written.
api::ApiHooks logging_hooks();

/// The same, and they count in `metrics`, which must outlive them.
api::ApiHooks api_hooks(Metrics& metrics);

}  // namespace proxy
