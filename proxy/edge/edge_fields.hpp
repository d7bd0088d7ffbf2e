// Reads parts of the edge's file that several of its sections have: health checks, safety rules, addresses. Mistakes
// are the field's. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "api/wire/field.hpp"
#include "health/checks/probe.hpp"
#include "proxy/edge/balanced.hpp"

namespace proxy {

/// A section health_check. What it does not give it has from the section around it.
struct CheckRules {
    enum class Type : std::uint8_t { usual, tcp, http, https, none } type = Type::usual;
    std::uint16_t port = 0;  ///< 0: the real server's
    std::string path = "/";
    std::string host;  ///< the request's header Host; empty: the address
    health::Timing timing{std::chrono::seconds(0), std::chrono::seconds(1), std::chrono::seconds(2), 1, 2};
};

/// `usual`: what the section around it says.
CheckRules read_check_rules(const api::Field& field, CheckRules usual);

/// The fields interval, timeout, success_threshold and failure_threshold of a section.
void read_timing(const api::Field& section, health::Timing& timing);

/// The check of a real server; nullopt: none. Without a type: a connection of TCP, where the protocol is TCP.
std::optional<HealthCheck> check_of(const CheckRules& rules, const Address& address, std::uint16_t port,
                                    api::Protocol protocol);

/// The fields panic_percent and most_out_percent of a section.
void read_safety(const api::Field& section, SafetyRules& safety);

/// An address that can be balanced, or balanced to; nullopt, with a mistake: it is none.
std::optional<Address> read_edge_address(const api::Field& field);

/// A Go duration of whole seconds within the range.
std::chrono::seconds read_seconds(const api::Field& field, std::chrono::seconds low, std::chrono::seconds high,
                                  std::chrono::seconds usual);

}  // namespace proxy
