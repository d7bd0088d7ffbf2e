// The bytes of ICMP echo requests and replies, as a ping socket of Linux sends and receives them: the kernel adds the
// checksum and the identifier (net/ipv4/ping.c). Pure.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>

#include "health/guard/node_check.hpp"

namespace health {

/// What a question carries, and its answer brings back.
struct Echo {
    std::uint64_t token = 0;  ///< a secret of the asked node's: nobody else can answer for it
    NodeCheck::Path path = NodeCheck::Path::first;
    Time asked;
    bool operator==(const Echo&) const = default;
};

constexpr std::size_t echo_size = 8 + 8 + 8 + 1;
using EchoBytes = std::array<std::uint8_t, echo_size>;

EchoBytes echo_request(bool ipv6, std::uint16_t sequence, const Echo& echo);
/// nullopt: these bytes are no echo reply to a question of ours.
std::optional<Echo> read_echo_reply(bool ipv6, std::span<const std::uint8_t> bytes);

}  // namespace health
