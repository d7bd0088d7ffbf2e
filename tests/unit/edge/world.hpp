// Short ways to write what an edge balances.
#pragma once

#include <catch2/catch.hpp>
#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "proxy/edge/balancer.hpp"
#include "tests/unit/proxy/build.hpp"

namespace edge {

using namespace proxy;
using namespace std::chrono_literals;

inline Time at(std::chrono::milliseconds time) {
    return Time{} + 1h + time;
}

/// Of http://HOST:PORT/healthz, every 2 s, out after 2 failures: its window is 5 s.
inline HealthCheck check(const std::string& host, std::uint16_t port = 10256, bool speaks_for_endpoints = false) {
    health::HttpCheck http;
    http.host = host;
    http.port = port;
    http.path = "/healthz";
    return {{http, {0s, 1s, 2s, 1, 2}}, speaks_for_endpoints};
}

inline Backend backend(const std::string& address, bool speaks_for_endpoints = false) {
    Backend backend;
    backend.name = "n" + address.substr(address.find_last_of(".:") + 1);
    backend.addresses = {build::address(address)};
    backend.ports = {30080};
    backend.check = check(address, speaks_for_endpoints ? 32000 : 10256, speaks_for_endpoints);
    return backend;
}

/// 192.0.2.10:80 with the backends 10.0.0.11, 10.0.0.12, ...
inline Balanced front_end(int backends, bool speaks_for_endpoints = false) {
    Balanced balanced;
    balanced.service.name = {"shop", "web"};
    balanced.service.type = api::ServiceType::load_balancer;
    balanced.service.ingress = {{build::address("192.0.2.10"), api::IpMode::vip}};
    balanced.service.ports = {{"", api::Protocol::tcp, 80, std::uint16_t{80}, 0}};
    for (int i = 1; i <= backends; ++i)
        balanced.backends.push_back(backend("10.0.0." + std::to_string(10 + i), speaks_for_endpoints));
    return balanced;
}

}  // namespace edge
