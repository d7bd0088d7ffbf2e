// What an edge balances: a front end with those that may carry its connections. Values only: front_end_file.hpp makes
// them of a file.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/objects/source.hpp"
#include "api/objects/types.hpp"
#include "health/checks/probe.hpp"

namespace proxy {

using base::Address;
using Time = std::chrono::steady_clock::time_point;

/// How a backend is asked whether it can carry connections.
struct HealthCheck {
    health::ProbeSpec spec;
    /// Its "no" is the Service's own word: there is no endpoint behind that node (healthCheckNodePort). It needs no
    /// guard, as when most nodes say so.
    bool speaks_for_endpoints = false;
    bool operator==(const HealthCheck&) const = default;
};

/// "http://10.0.0.11:10256/healthz": what is asked.
std::string words_of(const health::Check& check);
/// "http://10.0.0.11:10256/healthz every 2s, timeout 1s, in after 1, out after 2": what makes two checks the same.
std::string to_string(const HealthCheck& check);

/// How long it takes at most until a backend that answers no more gets no new connections: its next question may be a
/// period away, and so many in a row must fail.
std::chrono::milliseconds window_of(const health::Timing& timing);

/// A node, or a real server of the file.
struct Backend {
    std::string name;                  ///< of the node; or "10.0.0.11:8443"
    std::vector<Address> addresses;    ///< at most one of each family
    std::vector<std::uint16_t> ports;  ///< the port there for each of the Service's ports
    int weight = 1;                    ///< 0: it gets no new connections
    std::string barred;                ///< why it gets none, whatever its check says; empty: it may have some
    std::optional<HealthCheck> check;
    bool operator==(const Backend&) const = default;
};

/// When failing backends are kept all the same (health/guard/group.hpp).
struct SafetyRules {
    std::size_t panic_percent = 50;     ///< fewer in than that: all that fail are kept; 0: never
    std::size_t most_out_percent = 50;  ///< of one front end; of two or more one may always be out. 100: all
    bool operator==(const SafetyRules&) const = default;
};

struct Balanced {
    api::Service service;  ///< as the engine is to have it: addresses in `ingress`, no ClusterIP, no selector
    std::vector<Backend> backends;
    SafetyRules safety;
    api::Origin origin{};                 ///< of the file's; for messages
    std::vector<std::string> problems{};  ///< "spec.loadBalancerClass: ...": what it asks for and does not get
    bool operator==(const Balanced&) const = default;
};

}  // namespace proxy
