// File descriptors: as many as the host allows, and some that visitors never get, so that the API server, the kernel
// and the prober can always be spoken to.
#pragma once

#include <cstddef>

namespace proxy {

/// Raises the soft limit to the hard one. Returns the limit that holds now.
std::size_t raise_descriptor_limit();

/// Whether a visitor may keep this descriptor. The kernel gives the lowest number that is free: all below it are in
/// use, so that one near the limit says how many are left. Kept back are 256, or half when the limit is low.
bool leaves_reserve(int descriptor, std::size_t limit);

/// The soft limit now.
std::size_t descriptor_limit();

}  // namespace proxy
