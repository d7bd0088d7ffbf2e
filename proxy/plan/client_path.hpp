// What the kernel does with a client's new connection to a front end: the decisions of netlink/ruleset and of IPVS,
// made again from the kernel's state alone. Pure.
#pragma once

#include <cstdint>

#include "netlink/state.hpp"

namespace proxy {

/// Inside: pods, as far as `detect_local_mode` tells them, and this host.
enum class Client : std::uint8_t { outside, inside };

enum class Fate : std::uint8_t {
    carried,  ///< one of the real servers that have a weight gets it
    refused,  ///< at once, with a reset or an ICMP error
    dropped,  ///< without a word: a Local traffic policy finds no endpoint on this node
    absent,   ///< the front end is not in the kernel, or no packet to it is led to IPVS
};

struct ClientPath {
    Fate fate = Fate::absent;
    netlink::VirtualServer server;  ///< that the kernel chooses: the front end's own, or one with a mark
    bool restricted = false;        ///< some sources are dropped (loadBalancerSourceRanges)
};

/// `is_own`: an interface of this host has the front end's address.
ClientPath path_of(const netlink::KernelState& kernel, bool is_own, const netlink::VirtualServer& front_end,
                   Client client);

}  // namespace proxy
