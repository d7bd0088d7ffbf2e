// What podferry does for a Service, front end by front end: whose it is, and what clients meet there, as the kernel has
// it. Pure: a function of what is desired and of the mirror of the kernel.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "api/objects/store.hpp"
#include "netlink/state.hpp"
#include "proxy/engine/desired.hpp"
#include "proxy/engine/service_guards.hpp"
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
    /// The arguments must outlive it.
    ServiceViews(const netlink::KernelState& kernel, const Desired& desired, const NodeFacts& node,
                 const ServiceGuards& guards, const ServerStates& states);

    /// All of it; its parts are what follows.
    ServiceView of(const api::Service& service) const;
    FrontEndView front_end(const api::Service& service, const AskedFrontEnd& claim) const;
    /// Virtual servers of which the front end's view shows the real servers.
    std::vector<netlink::VirtualServer> reached_by(const AskedFrontEnd& claim) const;
    /// The real servers of the Service's virtual servers but those that are `shown`.
    std::vector<BackendView> leftover(const api::ObjectName& service,
                                      const std::set<netlink::VirtualServer>& shown) const;
    const NodeFacts& node() const { return node_; }
    /// Bytes of the page of all, roughly: a text that grows is copied as a whole now and then, in one turn.
    std::size_t likely_size() const { return 1024 * kernel_.virtual_servers.size(); }

private:
    ReachView reach(const netlink::VirtualServer& front_end, Client client) const;
    void add_gone(const api::Service& service, const AskedFrontEnd& claim, FrontEndView& view) const;
    std::vector<BackendView> backends(const netlink::VirtualServer& server) const;
    BackendView backend(const netlink::VirtualServer& server, const netlink::RealServer& real, const int* wanted,
                        const int* actual) const;
    bool is_own(const netlink::VirtualServer& server) const;

    const netlink::KernelState& kernel_;
    const Desired& desired_;
    const NodeFacts& node_;
    const ServiceGuards& guards_;
    ServerStates states_;
};

/// All Services, a piece at a time, by name: between two pieces what is shown may change, and a Service may come or go.
class ServicesPage {
public:
    /// The arguments must outlive it; `services` may change.
    ServicesPage(const api::Objects<api::Service>& services, ServiceViews views, const std::string& waiting_for)
        : services_(services), views_(std::move(views)), text_(waiting_for) {
        text_.reserve(views_.likely_size());
    }

    /// Goes on until so many front ends and real servers have been shown; false: that was the last one.
    bool next(std::size_t most);

    std::string text() { return text_.finish(); }

private:
    struct Shown {
        api::Service service;
        std::vector<AskedFrontEnd> front_ends;  // they point to `service`
        std::size_t next = 0;
        std::set<netlink::VirtualServer> servers;
    };

    bool begin_next();
    std::size_t show_front_end();
    std::size_t end_service();

    const api::Objects<api::Service>& services_;
    ServiceViews views_;
    ServicesText text_;
    std::unique_ptr<Shown> current_;
    std::optional<api::ObjectName> last_;
};

}  // namespace proxy
