// Real servers that have left their virtual server while connections go on: they stay with weight 0, so that those end
// by themselves and no new ones come. Pure; `now` is passed in.
//
// TCP and SCTP drain: the kernel counts the connections of both, and both are as good as cut when their real server is
// deleted (expire_nodest_conn). kube-proxy's IPVS mode deletes SCTP real servers at once, its nftables mode lets their
// connections go on. UDP is deleted at once: a client that keeps its port would stay with the old pod for ever
// (kubernetes issue 76664).
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "netlink/state.hpp"

namespace proxy {

using Time = std::chrono::steady_clock::time_point;

/// How a real server left, and so how long it may drain. The later the more final.
enum class Departure {
    listed,    ///< its endpoint is still there (terminating, not ready, of another zone): as long as it has connections
    vanished,  ///< its endpoint is gone although it was not terminating; its pod may well live: at most the timeout
    ended,     ///< its pod has ended: not at all, its clients are to hear of it
    dead,      ///< its node is dead: not for a moment
};

class Draining {
public:
    /// A real server stays at least this long: while an endpoint moves between slices it may be in neither, and one
    /// that comes back is given its weight again instead of being deleted and added.
    static constexpr std::chrono::milliseconds least{1'000};

    /// `timeout`: how long a vanished one may drain.
    explicit Draining(std::chrono::milliseconds timeout) : timeout_(timeout) {}

    /// Adds to `wanted` those of `former` that it lacks and that drain from now on, with weight 0. One that is wanted
    /// again no longer drains. `how` is asked of each that left; one that is dead is not added. The caller leaves out
    /// UDP.
    template <class How>
    void keep(const netlink::VirtualServer& server, const netlink::RealServers& former, How how,
              netlink::RealServers& wanted) {
        Left left;
        auto place = wanted.begin();  // both are in the same order
        for (const auto& [real, weight] : former) {
            while (place != wanted.end() && place->first < real)
                ++place;
            if (place != wanted.end() && place->first == real)
                continue;
            const Departure departure = how(real);
            if (departure == Departure::dead)
                continue;
            left.emplace_back(real, departure);
            place = wanted.emplace_hint(place, real, 0);
        }
        replace(server, left);
    }

    /// The pods with these addresses have ended: so have, where they drain, those real servers of which no more was
    /// known than that they had vanished. They may be another Service's, which has lost their virtual server.
    void end(const std::set<base::Address>& pods);

    /// The virtual server is gone, and all its real servers with it.
    void forget(const netlink::VirtualServer& server) { replace(server, {}); }

    /// The next `count` virtual servers whose connections are to be counted, in turn.
    std::vector<netlink::VirtualServer> next(std::size_t count);

    /// Connections of some virtual servers; a real server that is not named is not in the kernel.
    using Counted = std::map<netlink::VirtualServer, netlink::ConnectionCounts>;

    /// Removes and returns those that have drained or whose time is over. Time counts from the first review after a
    /// real server has left.
    std::vector<std::pair<netlink::VirtualServer, netlink::RealServer>> review(Time now, const Counted& counted);

    bool contains(const netlink::VirtualServer& server, const netlink::RealServer& real) const;
    bool empty() const { return servers_.empty(); }
    std::size_t size() const;

private:
    struct Entry {
        Departure how = Departure::listed;
        std::optional<Time> since;  ///< when it was first seen to have left in this way
    };
    using Entries = std::map<netlink::RealServer, Entry>;

    using Left = std::vector<std::pair<netlink::RealServer, Departure>>;  // by real server

    void replace(const netlink::VirtualServer& server, const Left& left);
    bool is_over(const Entry& entry, Time now) const;
    void note_vanished(const Entries& entries);
    void forget_vanished(const netlink::RealServer& real, const Entry& entry);

    std::chrono::milliseconds timeout_;
    std::map<netlink::VirtualServer, Entries> servers_;
    std::map<base::Address, std::size_t> vanished_;  // how many of these entries have vanished
    std::optional<netlink::VirtualServer> counted_;  // the last one that next() gave
};

}  // namespace proxy
