// Makes what is desired of the kernel of objects and verdicts: joins the intake (objects), the probing (verdicts) and
// the planner. No I/O and no clock: a role feeds it and carries the result to the kernel.
#pragma once

#include <cstddef>
#include <functional>
#include <limits>
#include <optional>
#include <string>

#include "api/objects/source.hpp"
#include "proxy/engine/intake.hpp"
#include "proxy/engine/node_opinion.hpp"
#include "proxy/engine/planner.hpp"
#include "proxy/engine/probing.hpp"
#include "proxy/engine/server_state.hpp"

namespace proxy {

class ServiceViews;  // service_view.hpp

/// What cannot wait at a cold start: the API server's own Service, and the cluster's DNS. Without them nothing else
/// starts.
bool is_needed_first(const api::ObjectName& service);

class Engine {
public:
    /// `remembered`: what was allocated before. `addresses_given`: Services come with their ClusterIPs and node ports,
    /// because an API server has allocated them. `plan`: what a Service becomes in this role.
    Engine(const Config& config, NodeFacts facts, Choices remembered, bool addresses_given = false,
           PlanFunction plan = &proxy::plan);

    /// Allocates, refuses double use, and marks what the transaction affects as dirty.
    void apply(api::Transaction transaction);
    /// The prober's verdict on a container has changed. `why`: of one that has failed.
    void note_verdict(const health::Subject& subject, health::Verdict verdict, const std::string& why = "");
    /// What depends on own checks and on time: what that changes is dirty.
    void review_opinions(Time now);
    /// When that is due; nullopt: nothing changes with time.
    std::optional<Time> next_opinion() const;

    // These are the planner's (planner.hpp). `kernel`: what of ours is there now.
    void set_facts(NodeFacts facts) { planner_.set_facts(std::move(facts), store().services()); }
    std::size_t plan_dirty(const Mirror& kernel, const std::function<bool(const api::ObjectName&)>& wanted = {}) {
        return planner_.plan_dirty(sources(kernel), wanted);
    }
    bool plan_slice(const Mirror& kernel, std::size_t most) { return planner_.plan_slice(sources(kernel), most); }
    bool settle_health_ports(const Mirror& kernel, bool refused,
                             std::size_t most = std::numeric_limits<std::size_t>::max()) {
        return planner_.settle_health_ports(kernel, refused, most);
    }

    const Intake& intake() const { return intake_; }
    const api::Store& store() const { return intake_.store(); }
    NodeOpinion& nodes() { return nodes_; }
    const NodeOpinion& nodes() const { return nodes_; }
    Probing& probing() { return probing_; }
    const Probing& probing() const { return probing_; }
    Planner& planner() { return planner_; }
    const Planner& planner() const { return planner_; }
    const NodeFacts& facts() const { return planner_.rules().facts; }
    Desired& desired() { return planner_.ledger().desired; }
    const Desired& desired() const { return planner_.ledger().desired; }
    Draining& draining() { return planner_.ledger().departures.draining(); }
    HealthPorts& health_ports() { return planner_.ledger().health_ports; }
    const HealthPorts& health_ports() const { return planner_.ledger().health_ports; }

    /// `kernel` and the engine must outlive the views.
    ServiceViews views(const netlink::KernelState& kernel) const;
    /// The state of a real server that has that weight in the kernel.
    ServerState state_of(const netlink::VirtualServer& server, const netlink::RealServer& real, int weight) const;

private:
    PlanSources sources(const Mirror& kernel) const;

    Intake intake_;
    Time reviewed_;  // the last time
    Probing probing_;
    NodeOpinion nodes_;
    Planner planner_;
};

}  // namespace proxy
