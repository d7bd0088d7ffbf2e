// Makes the answer of a health check port. Pure.
#pragma once

#include "proxy/engine/health_ports.hpp"
#include "proxy/serve/page.hpp"

namespace proxy {

/// kube-proxy 1.37's answer, byte for byte: 200 when there are endpoints and the proxy is healthy, else 503.
Reply health_reply(const HealthPort& port, bool proxy_healthy);

}  // namespace proxy
