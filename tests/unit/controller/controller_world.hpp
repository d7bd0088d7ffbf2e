// Services and pools for the tables of the role controller.
#pragma once

#include <catch2/catch.hpp>
#include <string>

#include "proxy/controller/pool_config.hpp"

namespace world {

/// A Service of type LoadBalancer and our class, with port 80.
inline api::BalancedService make(const std::string& name, const std::string& space = "shop") {
    api::BalancedService service;
    service.name = {space, name};
    service.uid = "uid-" + name;
    service.version = "1";
    service.is_balancer = true;
    service.balancer_class = "podferry.io/edge";
    service.families = {api::Family::ipv4};
    service.backend.ports = {{api::Protocol::tcp, 80}};
    return service;
}

inline proxy::PoolConfig config(const std::string& yaml) {
    auto config = proxy::read_pool_config(yaml, "pools.yaml");
    if (!config)
        FAIL(config.error());
    return std::move(*config);
}

}  // namespace world
