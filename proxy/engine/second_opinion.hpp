// A second opinion on pods of this node whose readiness is the kubelet's: podferry asks them itself, and an endpoint
// that fails may be taken out although the API says that it is ready, never the other way round. No I/O and no clock.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "api/objects/source.hpp"
#include "api/objects/types.hpp"
#include "health/guard/ejections.hpp"
#include "health/prober.hpp"
#include "netlink/objects.hpp"
#include "proxy/config/config.hpp"
#include "proxy/plan/verdicts.hpp"

namespace proxy {

using Time = std::chrono::steady_clock::time_point;

/// The readiness probes of the pod's containers that run and have started, as far as podferry runs such probes. None
/// for a pod that is about to end, or in the host's network: several have its address.
std::map<health::Subject, health::Target> second_opinion_targets(const api::Pod& pod,
                                                                 const std::string& runtime_socket);

class SecondOpinion {
public:
    explicit SecondOpinion(CheckMode mode) : mode_(mode) {}

    CheckMode mode() const { return mode_; }
    bool is_wanted() const { return mode_ != CheckMode::off; }

    /// Its pods, with the verdicts that there are by now. Another container in the place of a former one has everything
    /// before it. Nothing is done when no second opinion is wanted.
    void apply(const api::Transaction& transaction, const Verdicts& verdicts);
    /// What its probes say together. `why`: of one that has failed; empty: as before.
    void note(const api::ObjectName& pod, PodVerdict verdict, const std::string& why);

    /// Decides who is out (health/guard/ejections.hpp). Addresses of the pods for which that has changed.
    std::set<base::Address> review(Time now);
    /// When that is due; nullopt: nothing changes with time.
    std::optional<Time> next() const { return ejections_.next(); }

    /// nullptr: no pod of this node that is out has the address.
    const health::Ejection* of(const base::Address& address) const;
    const health::Ejections& ejections() const { return ejections_; }

private:
    struct Known {
        std::string containers;  // their IDs
        std::string node;
        std::string why;  // of the last failure
        std::set<base::Address> addresses;
    };

    void put(const api::Pod& pod);
    void remove(const api::ObjectName& pod);
    void forget_addresses(const api::ObjectName& pod, const Known& known);

    CheckMode mode_;
    std::map<api::ObjectName, Known> pods_;
    std::map<base::Address, api::ObjectName> by_address_;
    std::set<base::Address> touched_;  // left by pods that were out
    health::Ejections ejections_;
};

}  // namespace proxy
