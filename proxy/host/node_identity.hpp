// Knows who this node is: its addresses, its zone, and whether it is about to go, as the setting, the Node object and
// the host say it. Objects and the host's addresses are passed in.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "api/objects/types.hpp"
#include "netlink/host.hpp"
#include "proxy/config/config.hpp"
#include "proxy/host/default_addresses.hpp"
#include "proxy/plan/plan.hpp"

namespace proxy {

class NodeIdentity {
public:
    struct Options {
        bool node_ip_given = false;  ///< by the configuration; else the Node object's addresses count, if there are any
        bool of_cluster = false;     ///< the Node object is a cluster's; else it says only the zone
    };

    /// `config` must outlive it; its node_ip holds at first.
    NodeIdentity(const Config& config, Options options)
        : config_(config), options_(options), node_ip_(config.node_ip) {}

    /// What our own Node object says now; nullptr: there is none.
    struct NodeNews {
        bool leaving_changed = false;
        bool follow = false;  ///< addresses or zone have changed: call follow()
    };
    NodeNews note_node(const api::Node* node);

    /// The Node is deleted, or tainted by the cluster autoscaler.
    bool is_leaving() const { return leaving_; }

    /// Chooses this node's addresses out of what the host has now. `read_network` is called when they are not enough.
    /// True: they are others than before.
    bool follow(const std::vector<netlink::HostAddress>& host, const std::function<HostNetwork()>& read_network);

    const std::vector<Address>& node_ip() const { return node_ip_; }
    /// The Node object has named addresses.
    bool named_by_node() const { return !node_addresses_.empty(); }
    /// What plans need to know of it (facts_of).
    NodeFacts facts(const std::vector<netlink::HostAddress>& host) const;

private:
    const Config& config_;
    Options options_;
    std::vector<Address> node_ip_;
    std::vector<Address> node_addresses_;  // as the Node object has them
    std::string zone_;
    bool node_seen_ = false;
    bool leaving_ = false;
};

}  // namespace proxy
