// What goes out of the running node: its status, its metrics, its health.
#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

#include "proxy/engine/engine_problems.hpp"
#include "proxy/engine/service_view.hpp"
#include "proxy/engine/turns.hpp"
#include "proxy/node/node_loop.hpp"

namespace proxy {

namespace {

/// Of a file or an object, not of this host.
bool is_of_input(const api::Problem& problem) {
    return !problem.origin.file.empty() || !problem.object.empty();
}

}  // namespace

/// A restart while the API is away makes no node ineligible: the kernel goes on carrying connections.
NodeHealth NodeLoop::health() const {
    return {ready_ || adopted_something_,
            leaving_,
            reconciler_.mostly_refused(),
            unsynced_since_,
            last_sync_,
            rounds_.failed()};
}

Reply NodeLoop::healthz() {
    Reply reply = healthz_reply(health(), std::chrono::steady_clock::now(), std::chrono::system_clock::now());
    metrics_.healthz_answers.Add({{"code", std::to_string(reply.status)}}).Increment();
    return reply;
}

Reply NodeLoop::livez() {
    Reply reply = livez_reply(health(), std::chrono::steady_clock::now(), std::chrono::system_clock::now());
    metrics_.livez_answers.Add({{"code", std::to_string(reply.status)}}).Increment();
    return reply;
}

Reply NodeLoop::readyz() const {
    return readyz_reply(health(), ready_, waiting_for(), std::chrono::system_clock::now());
}

/// After a sync: counts that may rise now, ports that are to be opened or closed, addresses that have changed.
void NodeLoop::serve_health_ports() {
    engine_.settle_health_ports(reconciler_.mirror(), false);
    std::vector<Address> addresses = engine_.facts().node_port_addresses;
    std::erase_if(addresses, [&](const Address& address) { return address.is_v6() && !engine_.facts().has_ipv6; });
    HealthPorts& ports = engine_.health_ports();
    if (health_server_.follow(
            ports.exchange_touched(), [&](std::uint16_t port) { return ports.find(port).has_value(); },
            std::move(addresses), std::chrono::steady_clock::now())) {
        log_new_problems();
        tell_listen_failures();
    }
}

/// Each new one is an Event of its Service.
void NodeLoop::tell_listen_failures() {
    const std::vector<ListenFailure>& now = health_server_.failures();
    for (const ListenFailure& failure : now) {
        const auto port = engine_.health_ports().find(failure.port);
        if (!port || std::find(told_failures_.begin(), told_failures_.end(), failure) != told_failures_.end())
            continue;
        const auto service = engine_.store().services().find(port->service);
        const std::string uid = service == engine_.store().services().end() ? "" : service->uid;
        post({ListenFailure::reason, failure.text, true, "Service", port->service.name, port->service.space, uid});
    }
    told_failures_ = now;
}

std::string NodeLoop::waiting_for() const {
    return ready_ ? "" : source_->waiting_for();
}

std::vector<api::Problem> NodeLoop::problems() const {
    std::vector<api::Problem> problems = problems_of(engine_);
    for (api::Problem& problem : node_problems())
        problems.push_back(std::move(problem));
    return problems;
}

/// All but those of objects.
std::vector<api::Problem> NodeLoop::node_problems() const {
    std::vector<api::Problem> problems;
    for (api::Problem& problem :
         problems_of(reconciler_.refusals(), engine_.desired(),
                     [this](const api::ObjectName& name) { return engine_.intake().origin_of(name); }))
        problems.push_back(std::move(problem));
    if (auto problem = probe_trouble_.problem(std::chrono::steady_clock::now()))
        problems.push_back({{}, "", std::move(*problem), false});
    if (auto problem = rounds_.problem())
        problems.push_back({{}, "", std::move(*problem), false});
    for (const std::string& problem : kernel_problems_)
        problems.push_back({{}, "", problem, true});
    for (const auto& some : {host_watch_.problems(), networks_.plan().problems})
        for (const std::string& problem : some)
            problems.push_back({{}, "", problem, true});
    for (const auto& [setting, problem] : listener_problems_)
        problems.push_back({{}, "", problem, false});
    if (table_problem_)
        problems.push_back({{}, "", *table_problem_, true});
    for (const ListenFailure& failure : health_server_.failures())
        if (const auto found = engine_.health_ports().find(failure.port))
            problems.push_back({engine_.intake().origin_of(found->service), "Service " + api::to_string(found->service),
                                failure.text, true});
    if (sweep_at_)
        problems.push_back(
            {{},
             "",
             "the kernel has twice as many virtual servers of ours as the API's Services want; they stay "
             "for now (setting relist_hold), in case the server has lost its data",
             true});
    return problems;
}

boost::asio::awaitable<Reply> NodeLoop::services() {
    ServicesPage page(engine_.store().services(), engine_.views(reconciler_.mirror()), waiting_for());
    while (page.next(turns::page_slice))
        co_await boost::asio::post(context_, boost::asio::use_awaitable);
    co_return Reply{200, "application/json", page.text(), {}};
}

/// Without the problems, whose texts cost what they are.
StatusView NodeLoop::state() const {
    StatusView view;
    view.ready = ready_;
    view.waiting_for = waiting_for();
    view.uptime_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
    view.source = source_->name();
    const api::Store& store = engine_.store();
    view.objects = {
        {"Service", store.services().size()}, {"EndpointSlice", store.slice_count()}, {"Node", store.nodes().size()}};
    if (!source_->of_cluster())  // of the API, pods are never asked for
        view.objects["Pod"] = store.pods().size();
    view.virtual_servers_wanted = engine_.desired().wishes().virtual_servers().size();
    for (const ServerState state : all_server_states)
        view.real_servers[state] = 0;
    for (const auto& [server, state] : reconciler_.mirror().virtual_servers) {
        if (!ready_ && !recorded_as_ours(server, reconciler_.mirror()))
            continue;
        ++view.virtual_servers;
        for (const auto& [real, weight] : state.real_servers)
            ++view.real_servers[engine_.state_of(server, real, weight)];
    }
    view.changes_pending = reconciler_.changes_pending();
    view.changes_refused = reconciler_.next_retry().has_value();
    view.healthy = is_healthy(health(), std::chrono::steady_clock::now());
    view.drift_repairs = drift_repairs_;
    if (last_sync_ != std::chrono::system_clock::time_point())
        view.last_sync_age_s = std::chrono::duration<double>(std::chrono::system_clock::now() - last_sync_).count();
    view.probe_targets = engine_.probing().containers();
    if (!source_->of_cluster())
        view.ranges = engine_.intake().allocator().use();
    return view;
}

StatusView NodeLoop::status() const {
    StatusView view = state();
    view.problems = problems();
    for (api::Problem& problem : source_->condition().ailments)
        view.problems.push_back(std::move(problem));
    return view;
}

/// As many as status() has; the texts of conflicts and plans are not needed for that.
void NodeLoop::count_problems() {
    const std::size_t conflicts = engine_.desired().claims().conflict_count();
    std::size_t errors = conflicts;
    std::size_t input_errors = conflicts;
    std::size_t warnings = engine_.planner().ledger().findings.problems().count();
    const auto count = [&](const std::vector<api::Problem>& problems) {
        for (const api::Problem& problem : problems) {
            ++(problem.warning ? warnings : errors);
            input_errors += !problem.warning && is_of_input(problem) ? 1 : 0;
        }
    };
    count(engine_.intake().source_problems());
    count(other_problems(engine_));
    count(node_problems());
    count(source_->condition().ailments);
    metrics_.problems.Add({{"severity", "error"}}).Set(static_cast<double>(errors));
    metrics_.problems.Add({{"severity", "warning"}}).Set(static_cast<double>(warnings));
    metrics_.source_problems.Set(static_cast<double>(input_errors));
}

void NodeLoop::update_gauges() {
    const StatusView view = state();
    for (const auto& [kind, count] : view.objects)
        metrics_.objects.Add({{"kind", kind}}).Set(static_cast<double>(count));
    metrics_.plans.Increment(static_cast<double>(engine_.planner().plans()) - metrics_.plans.Value());
    metrics_.virtual_servers.Set(static_cast<double>(view.virtual_servers));
    metrics_.virtual_servers_wanted.Set(static_cast<double>(view.virtual_servers_wanted));
    for (const auto& [state, count] : view.real_servers)
        metrics_.real_servers.Add({{"state", std::string(label(state))}}).Set(static_cast<double>(count));
    metrics_.draining_real_servers.Set(static_cast<double>(engine_.draining().size()));
    metrics_.services_without_backends.Set(
        static_cast<double>(engine_.planner().ledger().findings.services_without_backends()));
    for (const bool external : {false, true})
        for (const bool ipv6 : {false, true})
            metrics_.no_local_endpoints
                .Add({{"traffic_policy", external ? "external" : "internal"}, {"ip_family", ipv6 ? "IPv6" : "IPv4"}})
                .Set(static_cast<double>(engine_.planner().ledger().findings.services_with({external, ipv6})));
    for (const bool ipv6 : {false, true})
        metrics_.firewall_drops.Add({{"ip_family", ipv6 ? "IPv6" : "IPv4"}})
            .Set(host_watch_.firewall().blocks(ipv6) ? 1 : 0);
    metrics_.conflicts.Set(static_cast<double>(engine_.desired().claims().conflict_count()));
    for (const RangeUse& range : view.ranges) {
        metrics_.range_size.Add({{"range", range.range}}).Set(static_cast<double>(range.size));
        metrics_.range_used.Add({{"range", range.range}}).Set(static_cast<double>(range.used));
    }
    metrics_.changes_pending.Set(static_cast<double>(view.changes_pending));
    metrics_.last_sync.Set(std::chrono::duration<double>(last_sync_.time_since_epoch()).count());
    const api::Condition condition = source_->condition();
    for (const auto& [resource, seconds] : condition.staleness)
        metrics_.api_stale_seconds.Add({{"resource", resource}}).Set(seconds);
    metrics_.api_held_removals.Set(static_cast<double>(condition.held));
    count_problems();
    metrics_.probes_in_flight.Set(static_cast<double>(prober_.in_flight()));
    metrics_.probe_targets.Set(static_cast<double>(view.probe_targets));
}

std::string NodeLoop::metrics() {
    update_gauges();
    return metrics_.text();
}

}  // namespace proxy
