// Reads the host's addresses anew, and says what follows from them for the node.
#pragma once

#include <vector>

#include "proxy/host/networks.hpp"
#include "proxy/host/node_identity.hpp"
#include "proxy/host/service_devices.hpp"

namespace proxy {

struct FollowedHost {
    NodeFacts facts;                     ///< as plans are to know them now
    std::vector<Address> sources;        ///< of the host's own connections to virtual addresses
    std::vector<ServiceDevice> devices;  ///< of others, with addresses of Services
    bool node_ip_changed = false;        ///< so routes that are there have another source address
    bool concerns_routes = false;        ///< the kernel may have dropped routes of ours, or could accept them now
};

/// `before`: the facts that plans know. Changes are logged. Throws std::system_error when the kernel cannot be asked.
FollowedHost follow_host(NodeIdentity& identity, const NetworkPlan& networks, const NodeFacts& before);

}  // namespace proxy
