// From objects and verdicts to what is desired of the kernel: the store, the allocator and the planner, joined.
// No I/O and no clock: the node role (node.hpp) feeds it and carries the result to the kernel.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "api/objects/endpoints.hpp"
#include "api/objects/source.hpp"
#include "api/objects/store.hpp"
#include "proxy/engine/desired.hpp"
#include "proxy/engine/draining.hpp"
#include "proxy/engine/health_ports.hpp"
#include "proxy/engine/planning.hpp"
#include "proxy/engine/probing.hpp"
#include "proxy/engine/slow_start.hpp"
#include "proxy/engine/view.hpp"
#include "proxy/plan/address_book.hpp"
#include "proxy/plan/allocate.hpp"
#include "proxy/plan/budget.hpp"
#include "proxy/plan/plan_problems.hpp"

namespace proxy {

class ServiceViews;  // service_view.hpp

/// What cannot wait at a cold start: the API server's own Service, and the cluster's DNS. Without them nothing else
/// starts.
bool is_needed_first(const api::ObjectName& service);

class Engine {
public:
    /// `addresses_given`: Services come with their ClusterIPs and node ports, because an API server has allocated them.
    Engine(const Config& config, NodeFacts facts, Choices remembered, bool addresses_given = false);

    /// Takes a transaction: allocates, refuses double use, and marks what it affects as dirty.
    void apply(api::Transaction transaction);

    /// The node's addresses have changed: what depends on them is dirty (facts_change.hpp).
    void set_facts(NodeFacts facts);

    /// An API server that the configuration names, or that podferry has connected to: no Service may have its address
    /// and port. True when that makes some dirty.
    bool note_api_server(const ServerAddress& where);

    /// The prober's verdict on a container has changed.
    void note_verdict(const health::Subject& subject, health::Verdict verdict);

    /// The kernel has refused that scheduler: its Services get another one.
    void scheduler_is_missing(const std::string& scheduler);

    /// Those that are there by now are missing no more.
    void look_for_missing_schedulers(const std::function<bool(const std::string& scheduler)>& is_there);

    /// Plans the dirty services for which `wanted` is true (all, when empty) into desired(). `kernel`: what of ours is
    /// there now.
    std::size_t plan_dirty(const Mirror& kernel, const std::function<bool(const api::ObjectName&)>& wanted = {});

    /// The same in slices, for a loop that has other things to do: plans dirty Services, each in steps (planning.hpp),
    /// until these have looked at `most` objects, which ends a slice of desired() too. True: some are left of those
    /// that were dirty at the first call, or that their plans have given or taken a front end; until then desired() is
    /// not to be given to the kernel.
    bool plan_slice(const Mirror& kernel, std::size_t most);
    bool is_dirty() const { return node_dirty_ || !dirty_.empty() || !round_.empty(); }

    /// How often a Service has been planned so far.
    std::uint64_t plans() const { return plans_; }

    /// The kernel holds what was planned, as far as it takes it: what is told on health check ports may rise.
    /// `refused`: some changes were not taken, or have been only now. At most `most` Services; true: some are left.
    bool settle_health_ports(const Mirror& kernel, bool refused,
                             std::size_t most = std::numeric_limits<std::size_t>::max());

    /// Takes those out of desired() that have drained (draining.hpp); how many.
    std::size_t review_draining(Time now, const Draining::Counted& counted);

    /// Services of which real servers are to have more weight by now (slow_start.hpp) are dirty.
    void review_slow_start(Time now) { dirty_.merge(slow_start_.review(now)); }

    /// What is probed, and what has come of it.
    Probing& probing() { return probing_; }
    const Probing& probing() const { return probing_; }

    Desired& desired() { return desired_; }
    const Desired& desired() const { return desired_; }
    const Allocator& allocator() const { return allocator_; }
    const api::Store& store() const { return store_; }
    const NodeFacts& facts() const { return facts_; }
    HealthPorts& health_ports() { return health_ports_; }
    const HealthPorts& health_ports() const { return health_ports_; }

    /// Where a Service was read; nothing when it is unknown.
    api::Origin origin_of(const api::ObjectName& service) const;
    Draining& draining() { return draining_; }
    const Draining& draining() const { return draining_; }
    const SlowStart& slow_start() const { return slow_start_; }

    /// All problems that exist now: of the source, of conflicts, of plans, and other ones.
    std::vector<api::Problem> problems() const;
    const std::vector<api::Problem>& source_problems() const { return source_problems_; }
    api::Problem problem_of(const Conflict& conflict) const;
    std::vector<api::Problem> plan_problems_of(const api::ObjectName& service) const;
    /// Few, but in a folder: of allocation, health ports, schedulers, probes.
    std::vector<api::Problem> other_problems() const;

    /// What Services ask for and do not get, by Service: "field: sentence".
    const PlanProblems& plan_problems() const { return plan_problems_; }
    PlanProblems& plan_problems() { return plan_problems_; }

    /// `kernel`: what of ours is there; it and the engine must outlive the views.
    ServiceViews views(const netlink::KernelState& kernel) const;

    /// Of a real server that has that weight in the kernel.
    ServerState state_of(const netlink::VirtualServer& server, const netlink::RealServer& real, int weight) const {
        return ServerStates(draining_, probing_.verdicts()).of(server, real, weight);
    }

    /// Services with an address of which no real server takes connections.
    std::size_t services_without_backends() const { return without_backends_.size(); }

    /// Services with that gap.
    std::size_t services_with(const LocalGap& gap) const;

private:
    struct Waiting {
        api::Upsert upsert;
        std::string message;
    };

    void release(const std::vector<api::Removal>& removals);
    std::vector<api::Upsert> allocate(std::vector<api::Upsert> upserts);
    bool admit(api::Upsert& upsert);
    void note_origin(const api::Upsert& upsert);
    void retry_waiting(std::vector<api::Upsert>& admitted);
    void plan_service(const api::ObjectName& name, const Mirror& kernel);
    std::size_t advance(Planning& planning, const Mirror& kernel);
    std::size_t look(Planning& planning);
    std::size_t make_plan(Planning& planning, const Mirror& kernel);
    std::size_t keep_what_stays(Planning& planning, const Mirror& kernel);
    std::size_t put_plan(Planning& planning);
    std::size_t settle_plan(Planning& planning, const Mirror& kernel);
    void forget_service(const api::ObjectName& name);
    void note_backends(const api::ObjectName& name);
    void plan_node_if_dirty();
    std::set<api::ObjectName> take_unsettled();
    void note_ended_pods(const api::Transaction& transaction);
    void keep_draining(const api::ObjectName& name, const std::vector<api::PortEndpoints>& endpoints, const Age& age,
                       const Mirror& kernel, ServicePlan& plan);
    void plan_all_again();
    template <class How>
    void keep_marked(const api::ObjectName& name, How how, ServicePlan& plan);
    void forget_draining(const std::vector<netlink::VirtualServer>& servers);

    const std::string node_name_;
    NodeFacts facts_;
    const bool addresses_given_;
    Probing probing_;
    Allocator allocator_;
    api::Store store_;
    AddressBook addresses_;
    Desired desired_;
    Budget budget_;
    HealthPorts health_ports_;
    Marks marks_;
    Draining draining_;
    SlowStart slow_start_;
    std::map<api::ObjectName, std::set<netlink::RealServer>> terminating_;  // of Services, at their last plan
    std::set<Address> ended_;                                               // of pods, since all was planned
    std::map<api::ObjectName, Waiting> waiting_;                            // refused Services, by name
    PlanProblems plan_problems_;
    std::map<api::ObjectName, std::set<LocalGap>> gaps_;  // by Service, where there are some
    std::set<api::ObjectName> without_ipv6_;              // Services, of a node that has it off
    std::map<api::ObjectName, api::Origin> origins_;      // of Services that have one
    std::set<std::string> missing_schedulers_;
    std::vector<api::Problem> source_problems_;
    std::set<api::ObjectName> dirty_;
    PlanRound round_;                             // of plan_slice()
    std::set<api::ObjectName> without_backends_;  // with virtual servers, and no real server that takes connections
    std::uint64_t transactions_ = 0;
    std::uint64_t plans_ = 0;
    bool node_dirty_ = true;
};

}  // namespace proxy
