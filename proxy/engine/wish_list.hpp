// What all Services together want of the kernel, object by object, and which of it has been touched. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "netlink/state.hpp"

namespace proxy {

/// Kernel objects whose desired or actual state may have changed. Vectors, because they are written often and read
/// once.
struct Touched {
    std::vector<netlink::VirtualServer> virtual_servers;
    std::vector<netlink::LocalRoute> routes;
    std::vector<netlink::Element> elements;

    bool empty() const { return virtual_servers.empty() && routes.empty() && elements.empty(); }
    std::size_t size() const { return virtual_servers.size() + routes.size() + elements.size(); }
    void add(Touched other);
    /// Sorts them, each once.
    void tidy();
};

class WishList {
public:
    using VirtualServers = std::map<netlink::VirtualServer, netlink::VirtualServerState>;
    using Routes = std::map<netlink::LocalRoute, std::uint32_t>;  ///< with how many plans want it
    using Elements = std::map<netlink::Element, std::uint32_t>;

    /// The virtual server is wanted like this. It is touched unless it was so before.
    void put(const netlink::VirtualServer& server, netlink::VirtualServerState state);
    void drop(const netlink::VirtualServer& server);
    /// One real server less; nothing happens when it is not there.
    void drop(const netlink::VirtualServer& server, const netlink::RealServer& real);

    /// One more plan wants these; the first one touches them.
    void use(const std::vector<netlink::LocalRoute>& routes, const std::vector<netlink::Element>& elements);
    /// One plan less wants these; the last one touches them.
    void release(const std::vector<netlink::LocalRoute>& routes, const std::vector<netlink::Element>& elements);

    /// nullptr when nobody wants it.
    const netlink::VirtualServerState* find(const netlink::VirtualServer& server) const;
    bool wants(const netlink::LocalRoute& route) const { return routes_.contains(route); }
    bool wants(const netlink::Element& element) const { return elements_.contains(element); }

    /// All that is wanted.
    const VirtualServers& virtual_servers() const { return servers_; }
    const Routes& routes() const { return routes_; }
    const Elements& elements() const { return elements_; }

    /// What has been touched since the last call, up to where a slice ended. With slices it is exchanged, compared and
    /// given to the kernel part by part: all of one plan is in one of them, so that the order within it is safe.
    Touched exchange_touched();
    bool has_touched() const { return !slices_.empty() || !touched_.empty(); }
    void end_slice();
    std::size_t touched_count() const;

private:
    VirtualServers servers_;
    Routes routes_;
    Elements elements_;
    std::deque<Touched> slices_;
    Touched touched_;
};

/// All objects that are wanted or there, tidy: with changes_for() the difference between the whole list and a kernel.
Touched all_objects(const WishList& wanted, const netlink::KernelState& actual);

/// Whether its removal comes before anything is added: a map's element, because its key may come again with another
/// mark; what a front end that stays was restricted to, because its new ranges may overlap the old ones and nobody must
/// see half of them.
bool goes_first(const netlink::Element& element, const WishList& list);

/// The changes that bring the touched objects of `actual` to what is wanted, in safe order. `touched` is tidy.
std::vector<netlink::Change> changes_for(const Touched& touched, const WishList& wanted,
                                         const netlink::KernelState& actual);

}  // namespace proxy
