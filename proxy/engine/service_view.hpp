// What podferry does for a Service, front end by front end: whose it is, and what clients meet there, as the kernel has
// it. Pure: a function of what is desired and of the mirror of the kernel.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "netlink/state.hpp"
#include "proxy/engine/desired.hpp"
#include "proxy/engine/view.hpp"
#include "proxy/plan/client_path.hpp"
#include "proxy/plan/plan.hpp"

namespace proxy {

/// A front end that a Service asks for, whether it gets it or not.
struct AskedFrontEnd {
    netlink::VirtualServer server;
    std::string kind;  ///< as FrontEndView has it
    const api::ServicePort* port = nullptr;
    api::TrafficPolicy policy = api::TrafficPolicy::cluster;
};

/// Each virtual server once, in the order in which they are planned (by_port()); at most 4,096.
std::vector<AskedFrontEnd> asked_front_ends(const api::Service& service, const NodeFacts& node);

class ServiceViews {
public:
    /// Of a real server with that weight in the kernel.
    using StateOf = std::function<ServerState(const netlink::VirtualServer&, const netlink::RealServer&, int weight)>;

    /// The arguments must outlive it.
    ServiceViews(const netlink::KernelState& kernel, const Desired& desired, const NodeFacts& node, StateOf state_of);

    ServiceView of(const api::Service& service) const;

private:
    ReachView reach(const netlink::VirtualServer& front_end, Client client) const;
    std::vector<BackendView> backends(const netlink::VirtualServer& server) const;
    BackendView backend(const netlink::VirtualServer& server, const netlink::RealServer& real, const int* wanted,
                        const int* actual) const;
    FrontEndView front_end(const api::Service& service, const AskedFrontEnd& claim) const;
    bool is_own(const netlink::VirtualServer& server) const;

    const netlink::KernelState& kernel_;
    const Desired& desired_;
    const NodeFacts& node_;
    StateOf state_of_;
    std::map<std::pair<api::ObjectName, netlink::VirtualServer>, api::ObjectName> waits_;  // for whom
};

}  // namespace proxy
