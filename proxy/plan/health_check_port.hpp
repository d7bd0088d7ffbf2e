// Which Services have a health check port (reference: service, spec.healthCheckNodePort). Pure.
#pragma once

#include <cstdint>

#include "api/objects/types.hpp"

namespace proxy {

/// The Service's health check port: only of type LoadBalancer with externalTrafficPolicy Local; 0: it has none.
std::uint16_t health_check_port(const api::Service& service);

}  // namespace proxy
