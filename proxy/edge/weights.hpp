// The weights of an edge's backends, on their way to its plan. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "netlink/objects.hpp"

namespace proxy {

/// Of real servers whose weight is not 1.
using Weights = std::map<netlink::RealServer, int>;

inline constexpr int most_weight = 65'535;
/// Where carried_of() puts them. What the API has of that name is not looked at.
inline constexpr const char* weights_annotation = "podferry.io/edge-weights";

/// "10.0.0.11:8443=3 [fd00::1]:8443=2"; read_weights() reads it back, and leaves out what is none.
std::string print_weights(const Weights& weights);
Weights read_weights(std::string_view text);

}  // namespace proxy
