// A node's facts have changed: which Services are planned differently. On a node where pods come and go its interfaces'
// addresses change all the time, and hardly a Service depends on them. Pure.
#pragma once

#include <vector>

#include "proxy/plan/plan.hpp"

namespace proxy {

class FactsChange {
public:
    FactsChange(const NodeFacts& before, const NodeFacts& now);

    /// Whether the Service depends on what has changed. Node ports do on the addresses that they are served on,
    /// external addresses on whether they are this host's own or a broadcast address, loadBalancerSourceRanges on
    /// whether this host is in one of them; everything does on other facts than addresses.
    bool affects(const api::Service& service) const;

    /// Whether the kernel may have dropped or could now accept routes of ours, whose source addresses these are.
    bool concerns_routes(const std::vector<Address>& sources) const;

private:
    bool everything_;
    bool node_ports_;
    std::vector<Address> own_;  // come or gone, as are broadcast addresses
};

}  // namespace proxy
