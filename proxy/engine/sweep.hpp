// All that the kernel has of ours, slice by slice, for the moment when what is not wanted may go. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "netlink/state.hpp"
#include "proxy/engine/wish_list.hpp"

namespace proxy {

class Sweep {
public:
    /// The next objects, of at most `size` that are looked at; nullopt after the last. What leads clients to a virtual
    /// server comes before it, what judges them after it, as within one slice. Between two calls either list may
    /// change.
    std::optional<Touched> next(const WishList& wanted, const netlink::KernelState& actual, std::size_t size);

private:
    enum class Phase : std::uint8_t { leading_elements, routes, virtual_servers, other_elements, done };

    Phase phase_ = Phase::leading_elements;
    std::optional<netlink::Element> element_;  // the last of its kind that was looked at, in this phase
    std::optional<netlink::LocalRoute> route_;
    std::optional<netlink::VirtualServer> server_;
};

}  // namespace proxy
