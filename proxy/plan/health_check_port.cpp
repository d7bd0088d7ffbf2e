#include "proxy/plan/health_check_port.hpp"

namespace proxy {

std::uint16_t health_check_port(const api::Service& service) {
    const bool asked =
        service.type == api::ServiceType::load_balancer && service.external_traffic_policy == api::TrafficPolicy::local;
    return asked ? service.health_check_node_port : std::uint16_t{0};
}

}  // namespace proxy
