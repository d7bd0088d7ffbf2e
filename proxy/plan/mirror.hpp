// What of ours is in the kernel, as far as podferry knows, and what planning looks up of it. A value: the reconciler
// keeps it up to date, planning gets it as a const reference.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "netlink/state.hpp"

namespace proxy {

class Mirror : public netlink::KernelState {
public:
    Mirror() = default;
    explicit Mirror(netlink::KernelState state) : KernelState(std::move(state)) {}

    /// The weight that a real server has in the kernel; nullopt: it is not there.
    std::optional<int> weight(const netlink::VirtualServer& server, const netlink::RealServer& real) const;

    /// The mark that an element of a map has in the kernel; nullopt: there is no such element.
    std::optional<std::uint32_t> mark(const netlink::Element& carrier) const;

    /// The real servers of a virtual server in the kernel; nullptr: it is not there.
    const netlink::RealServers* real_servers(const netlink::VirtualServer& server) const;

    /// How often one of the three has been asked so far: tests hold the cost of planning to it.
    std::uint64_t look_ups() const { return look_ups_; }

private:
    mutable std::uint64_t look_ups_ = 0;
};

}  // namespace proxy
