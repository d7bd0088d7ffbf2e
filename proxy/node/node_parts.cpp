#include "proxy/node/node_parts.hpp"

#include <utility>

#include "proxy/host/host.hpp"
#include "proxy/host/service_devices.hpp"

namespace proxy {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* removals_held =
    "the kernel has twice as many virtual servers of ours as the API's Services want; they stay "
    "for now (setting relist_hold), in case the server has lost its data";

}  // namespace

NodeParts::NodeParts(boost::asio::io_context& io, Config configuration, const NodeInputs& inputs, Time began,
                     KernelRole& role)
    : context(io),
      config(std::move(configuration)),
      clock(began),
      feed(io, config, inputs, metrics),
      identity(config, {inputs.node_ip_given, feed.source().of_cluster()}),
      host_watch(config),
      networks(config),
      state_file(config.state_dir),
      pod_probes(io.get_executor(), config,
                 feed.source().of_cluster() ? PodProbes::Word::second : PodProbes::Word::first, metrics,
                 [this](const health::Report& report) {
                     engine.note_verdict(report.subject, report.verdict, report.reason);
                     kernel_side.wake();
                 }),
      engine(config, facts_of(config, read_host_addresses().own), state_file.load(),
             inputs.role || feed.source().of_cluster(), inputs.plan()),
      kernel_side(io, config, engine, metrics, role),
      service_health(
          io, engine, kernel_side.reconciler().mirror(), [this] { return is_healthy(health(), Clock::now()); },
          [this] { tell_listen_failures(); }),
      announcer(engine, config.node_name, feed.post()),
      changes(std::chrono::system_clock::now()) {}

/// A restart while the API is away makes no node ineligible: the kernel goes on carrying connections.
NodeHealth NodeParts::health() const {
    const KernelSchedule& schedule = kernel_side.schedule();
    return {kernel_side.carries(),    identity.is_leaving(),   kernel_side.reconciler().mostly_refused(),
            schedule.waiting_since(), kernel_side.last_sync(), schedule.is_failing()};
}

NodeState NodeParts::state() const {
    NodeState state{engine, kernel_side.reconciler(), feed.source(), health()};
    state.ready = is_ready();
    state.began = clock.began();
    state.drift_repairs = kernel_side.upkeep().drift_repairs();
    state.probes_in_flight = pod_probes.in_flight();
    state.firewall_drops4 = host_watch.firewall().blocks(false);
    state.firewall_drops6 = host_watch.firewall().blocks(true);
    const OtherProxies& others = host_watch.other_proxies();
    state.kube_proxy_is_here = others.has_marks(DeviceOwner::kube_proxy);
    state.kube_router_is_here = others.has_marks(DeviceOwner::kube_router);
    state.taken_over_addresses = others.removed();
    state.problems = problems();
    return state;
}

std::vector<api::Problem> NodeParts::problems() const {
    std::vector<api::Problem> all =
        problems_of(kernel_side.reconciler().refusals(), engine.desired(),
                    [this](const api::ObjectName& name) { return engine.intake().origin_of(name); });
    const auto add = [&](const std::string& text, bool warning) { all.push_back({{}, "", text, warning}); };
    if (const auto problem = pod_probes.problem(Clock::now()))
        add(*problem, false);
    if (const auto problem = kernel_side.schedule().problem())
        add(*problem, false);
    for (const std::string& problem : engine.nodes().problems())
        add(problem, true);
    for (const std::string& problem : kernel_side.upkeep().problems())
        add(problem, true);
    for (const auto& some : {host_watch.problems(), networks.plan().problems})
        for (const std::string& problem : some)
            add(problem, true);
    for (const auto& [setting, problem] : announcer.listener_problems())
        add(problem, false);
    for (const ListenFailure& failure : service_health.failures())
        if (const auto found = engine.health_ports().find(failure.port))
            all.push_back({engine.intake().origin_of(found->service), "Service " + api::to_string(found->service),
                           failure.text, true});
    if (kernel_side.schedule().holds_sweep())
        add(removals_held, true);
    return all;
}

void NodeParts::tell_listen_failures() {
    log_problems();
    announcer.tell_listen_failures(service_health.failures());
}

void NodeParts::log_problems() {
    announcer.log_problems(problems(), Clock::now());
}

}  // namespace proxy
