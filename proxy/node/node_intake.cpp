// What comes in to the running node: objects, verdicts, and what others do in the kernel.
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <iterator>

#include "proxy/config/setting_values.hpp"
#include "proxy/engine/engine_problems.hpp"
#include "proxy/host/host.hpp"
#include "proxy/log/log.hpp"
#include "proxy/node/node_loop.hpp"
#include "proxy/plan/facts_change.hpp"
#include "proxy/serve/metric_labels.hpp"

namespace proxy {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

}  // namespace

void NodeLoop::take(api::Transaction transaction) {
    metrics_.transactions.Increment();
    if (transaction.initial) {
        begin(std::move(transaction));
        return;
    }
    if (source_->of_cluster())
        changes_.note(transaction);
    else
        changes_.note_reading(std::chrono::system_clock::now());
    const bool pods = concerns(transaction, api::Kind::pod);
    source_problems_changed_ = source_problems_changed_ || !transaction.same_problems;
    engine_.apply(std::move(transaction));
    take_node();
    follow_networks();
    if (pods)
        set_targets();
    log_new_problems();
    wake();
}

void NodeLoop::set_targets() {
    for (auto& [pod, targets] : engine_.probing().exchange_changed())
        prober_.set_targets_of(pod, std::move(targets));
}

/// What our own Node object says of us. One that is deleted is about to go, whatever it said before.
void NodeLoop::take_node() {
    const auto found = engine_.store().nodes().find(api::ObjectName{"", config_.node_name});
    const bool exists = found != engine_.store().nodes().end();
    addresses_changed_ = addresses_changed_ || zone() != engine_.facts().place.zone;
    if (!source_->of_cluster())
        return;
    const bool leaving = exists ? found->leaving : node_seen_;
    if (leaving != leaving_)
        log::info(leaving ? "this node is about to go: /healthz says so to load balancers"
                          : "this node stays after all");
    leaving_ = leaving;
    node_seen_ = node_seen_ || exists;
    if (exists && found->addresses != node_addresses_) {
        node_addresses_ = found->addresses;
        addresses_changed_ = true;
    }
}

/// Of this node, for hints. A Node object that is gone leaves it as it was.
std::string NodeLoop::zone() const {
    const auto found = engine_.store().nodes().find(api::ObjectName{"", config_.node_name});
    return found == engine_.store().nodes().end() ? engine_.facts().place.zone : found->zone;
}

void NodeLoop::take_report(const health::Report& report) {
    metrics_.probe_transitions.Add({{"to", std::string(word(report.verdict))}}).Increment();
    if (report.verdict != health::Verdict::unknown)
        log::info(report.verdict == health::Verdict::failed ? "pod failed its probe" : "pod passes its probe",
                  {{"pod", report.subject.pod}, {"container", report.subject.container}, {"reason", report.reason}});
    engine_.note_verdict(report.subject, report.verdict);
    wake();
}

void NodeLoop::take_attempt(const health::Attempt& attempt) {
    const std::string type(word(attempt.type));
    metrics_.probes.Add({{"type", type}, {"result", std::string(word(attempt.answer))}}).Increment();
    metrics_.probe_seconds.Add({{"type", type}}, time_buckets())
        .Observe(std::chrono::duration<double>(attempt.took).count());
    if (attempt.answer == health::Answer::error)
        probe_trouble_.note(attempt.reason, Clock::now());
}

/// The addresses of this host, and which of them the Node object calls the node's, as they are now.
void NodeLoop::follow_addresses() {
    const auto host = netlink::host_addresses();
    auto chosen = node_ips_of({inputs_.node_ip_given, config_.node_ip, node_addresses_}, host);
    if (!inputs_.node_ip_given && node_addresses_.empty() && !node_port_problems(config_, chosen).empty())
        chosen = with_missing_families(std::move(chosen), read_host_network());  // they may have come since
    if (chosen != config_.node_ip) {
        log::info(node_addresses_.empty() ? "this host has got the node's addresses"
                                          : "the Node object gives this node its addresses",
                  {{"node_ip", print_addresses(chosen)}});
        config_.node_ip = std::move(chosen);
        host_changed_ = audit_wanted_ = true;  // an audit corrects the routes that are there
    }
    kernel_.set_sources(sources_of(config_.node_ip, host));
    NodeFacts facts = facts_of(config_, host);
    facts.place.zone = zone();
    facts.claims.pod_networks = networks_.plan().pod_networks;
    facts.claims.service_ranges = networks_.plan().service_ranges;
    host_watch_.note_node_port_addresses(facts.node_port_addresses);
    if (facts == engine_.facts())
        return;
    if (FactsChange(engine_.facts(), facts).concerns_routes(config_.node_ip)) {
        log::info("addresses, zone or networks of this node have changed");
        host_changed_ = true;
        audit_wanted_ = audit_wanted_ || ready_;  // the kernel may have dropped routes because of it
    }
    engine_.set_facts(std::move(facts));
}

/// The networks of pods and Services, as the objects say now: other rules and other claims. True: they are others.
/// `again`: the host may have other networks.
bool NodeLoop::follow_networks(bool again) {
    const auto read_host = [] { return networks_of(netlink::host_addresses(), netlink::host_routes()); };
    const bool knows_ranges = source_->knows(api::Kind::service_cidr);
    if (!networks_.follow(engine_.store(), knows_ranges, read_host, again))
        return false;
    const NetworkPlan& plan = networks_.plan();
    log::info("networks of pods or Services have changed",
              {{"pods", print_prefixes(plan.pod_networks)}, {"services", print_prefixes(plan.service_ranges)}});
    kernel_.set_networks(plan.rules);
    host_watch_.note_service_ranges(plan.service_ranges);
    addresses_changed_ = true;                // the next round has the claims follow,
    audit_wanted_ = audit_wanted_ || ready_;  // and then the rules
    return true;
}

void NodeLoop::listen_to_kernel() {
    route_socket_.emplace(context_, ::dup(monitor_->route_socket()));
    nft_socket_.emplace(context_, ::dup(monitor_->nft_socket()));
    families_socket_.emplace(context_, ::dup(monitor_->families_socket()));
    spawn(listen(*nft_socket_, &netlink::Monitor::read_nft));
    spawn(listen(*route_socket_, &netlink::Monitor::read_routes));
    spawn(listen(*families_socket_, &netlink::Monitor::read_families));
}

asio::awaitable<void> NodeLoop::listen(asio::posix::stream_descriptor& socket,
                                       netlink::Notices (netlink::Monitor::*read)()) {
    for (;;) {
        boost::system::error_code error;
        co_await socket.async_wait(asio::posix::descriptor_base::wait_read,
                                   asio::redirect_error(asio::use_awaitable, error));
        if (error)
            co_return;
        const netlink::Notices notices = (monitor_.get()->*read)();
        addresses_changed_ = addresses_changed_ || notices.addresses;
        audit_wanted_ = audit_wanted_ || notices.damage;
        if (notices.addresses || notices.damage)
            wake();
    }
}

/// With a folder there is nobody to post to.
void NodeLoop::post(api::EventNote note) {
    if (post_)
        spawn(post_(std::move(note)));
}

void NodeLoop::note_listener(const std::string& setting, const std::string& reason, const std::string& problem) {
    if (problem.empty()) {
        listener_problems_.erase(setting);
    } else {
        listener_problems_[setting] = problem;
        post({reason, problem, true, "Node", config_.node_name, "", config_.node_name});
    }
    log_new_problems();
}

/// Front ends that Services have just lost to others, or not got, are Events of these Services too. Only those whose
/// conflicts have changed are looked at.
void NodeLoop::tell_conflicts() {
    std::vector<Conflict> fresh;
    bool changed = false;
    for (const netlink::VirtualServer& server : engine_.desired().claims().exchange_changed()) {
        const std::vector<Conflict> now = engine_.desired().claims().conflicts_of(server);
        auto told = told_conflicts_.lower_bound(Conflict{server, {}, {}});
        while (told != told_conflicts_.end() && told->server == server) {
            const bool stays = std::binary_search(now.begin(), now.end(), *told);
            changed = changed || !stays;
            told = stays ? std::next(told) : told_conflicts_.erase(told);
        }
        for (const Conflict& conflict : now)
            if (told_conflicts_.insert(conflict).second)
                fresh.push_back(conflict);
        std::vector<api::Problem> problems;
        for (const Conflict& conflict : now)
            problems.push_back(problem_of(conflict, engine_));
        problem_log_.put("conflicts", netlink::to_string(server), problems, Clock::now());
    }
    if (!changed && fresh.empty())
        return;
    log_new_problems();
    for (const Conflict& conflict : fresh)
        post_of_service(conflict.service, "FrontEndConflict", to_string(conflict));
}

/// What a Service asks for and does not get is an Event of it.
void NodeLoop::tell_plan_problems() {
    const auto changed = engine_.planner().ledger().findings.problems().exchange_changed();
    if (changed.empty())
        return;
    for (const auto& [name, fresh] : changed) {
        problem_log_.put("problems of Services", api::to_string(name), plan_problems_of(name, engine_), Clock::now());
        for (const std::string& problem : fresh)
            post_of_service(name, "NotAsAsked", problem);
    }
    log_new_problems();
}

void NodeLoop::post_of_service(const api::ObjectName& service, const char* reason, const std::string& text) {
    const auto found = engine_.store().services().find(service);
    const std::string uid = found == engine_.store().services().end() ? "" : found->uid;
    post({reason, text, true, "Service", service.name, service.space, uid});
}

/// Settings of the host that cannot be written are an Event of the Node.
void NodeLoop::tell_read_only() {
    if (auto text = read_only_news_.news_of(read_only_))
        post({ReadOnlyNews::reason, std::move(*text), true, "Node", config_.node_name, "", config_.node_name});
}

/// A firewall of the host that is found to drop what goes to Services is an Event of the Node.
void NodeLoop::look_at_host() {
    host_watch_.look_at_firewall(kernel_);
    if (auto news = host_watch_.exchange_news())
        post({HostWatch::reason, std::move(*news), true, "Node", config_.node_name, "", config_.node_name});
}

/// Those of conflicts and plans have been put where they changed.
void NodeLoop::log_new_problems() {
    const Time now = Clock::now();
    if (std::exchange(source_problems_changed_, false))
        problem_log_.put("problems of the source", "", engine_.intake().source_problems(), now);
    problem_log_.put("problems of objects", "", other_problems(engine_), now);
    problem_log_.put("problems of this node", "", node_problems(), now);
    for (const ProblemLog::Line& line : problem_log_.exchange_lines(now)) {
        if (line.solved)
            log::info("solved", {{"problem", line.text}});
        else
            log::write(line.level, line.text);
    }
}

}  // namespace proxy
