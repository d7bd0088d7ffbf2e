// Judges for `podferry node --check-config` what podferry would read besides its configuration.
#pragma once

#include <string>

#include "proxy/config/config.hpp"
#include "proxy/host/preflight.hpp"

namespace proxy {

/// Reads the folder of manifests, or, where `manifests` is empty, the kubeconfig (if there is one) and the files that
/// it names, and says their mistakes. Asks no server.
Findings check_inputs(const Config& config, const std::string& manifests);

}  // namespace proxy
