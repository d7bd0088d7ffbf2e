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
#include "proxy/engine/probes.hpp"
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
    struct Inputs {
        VerdictOf verdict_of;
        /// The weight of a real server in the kernel.
        std::function<std::optional<int>(const netlink::VirtualServer&, const netlink::RealServer&)> weight_of;
        /// The mark that an element of a map has in the kernel.
        Marks::InKernel mark_of;
        /// Services come with their ClusterIPs and node ports: an API server has allocated them.
        bool addresses_given = false;
        /// The real servers of a virtual server in the kernel, or nullptr: what is not wanted of them drains when
        /// podferry starts. Without this function nothing is there.
        std::function<const netlink::RealServers*(const netlink::VirtualServer&)> real_servers_of;
    };

    Engine(Config config, NodeFacts facts, Choices remembered, Inputs inputs);

    /// Takes a transaction: allocates, refuses double use, and marks what it affects as dirty.
    void apply(api::Transaction transaction);

    /// The node's addresses have changed: what depends on them is dirty (facts_change.hpp).
    void set_facts(NodeFacts facts);

    /// An API server that the configuration names, or that podferry has connected to: no Service may have its address
    /// and port. True when that makes some dirty.
    bool note_api_server(const ServerAddress& where);

    /// The verdict on a pod has changed; its name as in probe_name().
    void verdict_changed(const std::string& pod);

    /// The kernel has refused that scheduler: its Services get another one.
    void scheduler_is_missing(const std::string& scheduler);

    /// Those that are there by now are missing no more.
    void look_for_missing_schedulers(const std::function<bool(const std::string& scheduler)>& is_there);

    /// Plans the dirty services for which `wanted` is true (all, when empty) into desired().
    std::size_t plan_dirty(const std::function<bool(const api::ObjectName&)>& wanted = {});

    /// The same in slices, for a loop that has other things to do: plans dirty Services, each in steps (planning.hpp),
    /// until these have looked at `most` objects, which ends a slice of desired() too. True: some are left of those
    /// that were dirty at the first call, or that their plans have given or taken a front end; until then desired() is
    /// not to be given to the kernel.
    bool plan_slice(std::size_t most);
    bool is_dirty() const { return node_dirty_ || !dirty_.empty() || !round_.empty(); }

    /// How often a Service has been planned so far.
    std::uint64_t plans() const { return plans_; }

    /// The kernel holds what was planned, as far as it takes it: what is told on health check ports may rise.
    /// `refused`: some changes were not taken, or have been only now. At most `most` Services; true: some are left.
    bool settle_health_ports(bool refused, std::size_t most = std::numeric_limits<std::size_t>::max());

    /// Takes those out of desired() that have drained (draining.hpp); how many.
    std::size_t review_draining(Time now, const Draining::Counted& counted);

    /// Services of which real servers are to have more weight by now (slow_start.hpp) are dirty.
    void review_slow_start(Time now) { dirty_.merge(slow_start_.review(now)); }

    /// What is to be probed now.
    std::map<health::Subject, health::Target> targets() const;

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
    ServerState state_of(const netlink::VirtualServer& server, const netlink::RealServer& real, int weight) const;

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
    bool take(api::Upsert& upsert);
    void note_origin(const api::Upsert& upsert);
    void retry_waiting(std::vector<api::Upsert>& taken);
    void plan_service(const api::ObjectName& name);
    std::size_t advance(Planning& planning);
    std::size_t look(Planning& planning);
    std::size_t make_plan(Planning& planning);
    std::size_t keep_what_stays(Planning& planning);
    std::size_t put_plan(Planning& planning);
    std::size_t settle_plan(Planning& planning);
    void forget_service(const api::ObjectName& name);
    void note_backends(const api::ObjectName& name);
    void plan_node_if_dirty();
    std::set<api::ObjectName> take_unsettled();
    api::PodReadiness readiness(const api::Pod& pod) const;
    Verdicts verdicts();
    HealthPorts::Carried carried() const;
    void forget_grace(const api::Transaction& transaction);
    void note_ended_pods(const api::Transaction& transaction);
    void keep_draining(const api::ObjectName& name, const std::vector<api::PortEndpoints>& endpoints, const Age& age,
                       ServicePlan& plan);
    void plan_all_again();
    bool is_judged(const netlink::RealServer& real) const;
    template <class How>
    void keep_marked(const api::ObjectName& name, How how, ServicePlan& plan);
    void forget_draining(const std::vector<netlink::VirtualServer>& servers);

    Config config_;
    NodeFacts facts_;
    Inputs inputs_;
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
    std::map<api::ObjectName, std::vector<std::string>> probe_problems_;  // by pod
    std::map<api::ObjectName, std::set<LocalGap>> gaps_;                  // by Service, where there are some
    std::set<api::ObjectName> without_ipv6_;                              // Services, of a node that has it off
    std::map<api::ObjectName, api::Origin> origins_;                      // of Services that have one
    std::set<std::string> missing_schedulers_;
    std::vector<api::Problem> source_problems_;
    std::set<api::ObjectName> dirty_;
    PlanRound round_;                             // of plan_slice()
    std::set<api::ObjectName> without_backends_;  // with virtual servers, and no real server that takes connections
    std::set<api::ObjectName> grace_;  // pods known at start and not judged since: the kernel's weights stand
    std::uint64_t transactions_ = 0;
    std::uint64_t plans_ = 0;
    bool node_dirty_ = true;
};

}  // namespace proxy
