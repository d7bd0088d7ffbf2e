// Holds the configured ranges against the node's own network: a range that is in use elsewhere steals traffic. Pure.
#pragma once

#include <string>
#include <vector>

#include "proxy/config/config.hpp"

namespace proxy {

/// A piece of the node's network that a range could clash with.
struct NodeNetwork {
    base::Prefix prefix;
    std::string what;  ///< "interface eth0's subnet", "the route via eth1"
};

struct RangeFindings {
    std::vector<std::string> errors;
    std::vector<std::string> warnings;
};

/// Service ranges must not overlap any subnet or route of the node (default routes excepted); a range outside private
/// address space is a warning. The pod range may overlap the node's routes: that is how pods are reached.
RangeFindings check_ranges(const Config& config, const std::vector<NodeNetwork>& networks);

}  // namespace proxy
