// Real servers that leave their virtual server when a plan replaces another one, and how they left: which of them stay
// with weight 0 until their connections have ended (draining.hpp has the rules). Pure.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <vector>

#include "api/objects/store.hpp"
#include "proxy/engine/desired.hpp"
#include "proxy/engine/draining.hpp"
#include "proxy/engine/planning.hpp"
#include "proxy/plan/marks.hpp"
#include "proxy/plan/mirror.hpp"

namespace proxy {

/// Addresses of the pods that end with the transaction, which the store has not applied yet.
std::set<base::Address> ended_pods(const api::Transaction& transaction, const api::Store& store);

class Departures {
public:
    /// `timeout`: how long a real server may drain whose endpoint has vanished.
    explicit Departures(std::chrono::milliseconds timeout) : draining_(timeout) {}

    /// Pods have ended, which had these addresses.
    void note_ended(const std::set<base::Address>& pods);
    /// Everything has been planned since: who has ended is known no more.
    void forget_ended() { ended_.clear(); }

    /// Adds to the plan what was in its virtual servers and is not any more: by the former plan; or, at the start and
    /// when they were another Service's, by what the kernel has, so that nothing is added to the kernel only to drain.
    void keep(Planning& planning, const Desired& desired, const Marks& marks, const Mirror& kernel);

    /// The Service is gone.
    void forget(const api::ObjectName& service) { terminating_.erase(service); }
    /// Nothing drains any more in those virtual servers that a Service had and that nobody wants.
    void forget_unwanted(const std::vector<netlink::VirtualServer>& servers, const Desired& desired);

    /// Removes those from `desired` that have drained; how many. Services are added to `dirty` whose virtual server may
    /// have stayed for its connections only.
    std::size_t review(Time now, const Draining::Counted& counted, Desired& desired, std::set<api::ObjectName>& dirty);

    Draining& draining() { return draining_; }
    const Draining& draining() const { return draining_; }

private:
    template <class How>
    void keep_marked(Planning& planning, How how, const Desired& desired, const Marks& marks);

    Draining draining_;
    std::map<api::ObjectName, std::set<netlink::RealServer>> terminating_;  // of Services, at their last plan
    std::set<base::Address> ended_;                                         // of pods, since all was planned
};

}  // namespace proxy
