#include "proxy/node/node_moments.hpp"

#include "netlink/links.hpp"
#include "proxy/config/setting_values.hpp"
#include "proxy/host/followed_host.hpp"
#include "proxy/host/host.hpp"
#include "proxy/host/service_devices.hpp"
#include "proxy/log/log.hpp"
#include "proxy/node/node_parts.hpp"

namespace proxy {

using Clock = std::chrono::steady_clock;

bool NodeMoments::source_is_current() const {
    return parts_.feed.source().is_current();
}

void NodeMoments::follow_host() {
    follow_networks(true);
    const FollowedHost followed = proxy::follow_host(parts_.identity, parts_.networks.plan(), parts_.engine.facts());
    KernelSide& kernel_side = parts_.kernel_side;
    parts_.host_watch.note_node_port_addresses(followed.facts.node_port_addresses);
    parts_.host_watch.other_proxies().look_at_devices(followed.devices, Clock::now());
    kernel_side.kernel().set_shared(held_by_proxies(followed.devices));
    kernel_side.kernel().set_sources(followed.sources);
    if (followed.node_ip_changed || followed.concerns_routes)
        kernel_side.upkeep().note_host_change();
    if (followed.node_ip_changed || (followed.concerns_routes && kernel_side.schedule().has_begun()))
        kernel_side.schedule().want_audit();  // routes that are there may be gone, or have another source address
    if (followed.facts != parts_.engine.facts())
        parts_.engine.set_facts(followed.facts);
}

bool NodeMoments::follow_networks(bool again) {
    const auto read_host = [] { return networks_of(read_host_addresses().own, netlink::host_routes()); };
    const bool knows_ranges = parts_.feed.source().knows(api::Kind::service_cidr);
    if (!parts_.networks.follow(parts_.engine.store(), knows_ranges, read_host, again))
        return false;
    const NetworkPlan& plan = parts_.networks.plan();
    log::info("networks of pods or Services have changed",
              {{"pods", print_prefixes(plan.pod_networks)}, {"services", print_prefixes(plan.service_ranges)}});
    KernelSide& kernel_side = parts_.kernel_side;
    kernel_side.kernel().set_networks(plan.rules);
    parts_.host_watch.note_service_ranges(plan.service_ranges);
    kernel_side.schedule().note_addresses();  // the claims follow,
    if (kernel_side.schedule().has_begun())
        kernel_side.schedule().want_audit();  // and then the rules
    return true;
}

/// A firewall of the host that is found to drop what goes to Services is an Event of the Node.
void NodeMoments::look_around() {
    parts_.host_watch.look_at_firewall(parts_.kernel_side.kernel());
    if (const auto news = parts_.host_watch.exchange_news())
        parts_.announcer.tell_of_node(HostWatch::reason, *news);
    OtherProxies& others = parts_.host_watch.other_proxies();
    for (const std::string& news : others.exchange_news())
        parts_.announcer.tell_of_node(OtherProxies::reason, news);
    parts_.pod_probes.look_at_drops(Clock::now());
}

void NodeMoments::upkept() {
    parts_.announcer.tell_read_only(parts_.kernel_side.upkeep().read_only());
}

void NodeMoments::planned() {
    if (parts_.announcer.tell_plans(Clock::now()))
        problems_changed();
}

boost::asio::awaitable<void> NodeMoments::settle(bool refused) {
    return parts_.service_health.settle(refused);
}

void NodeMoments::given(bool all) {
    if (parts_.service_health.follow())
        parts_.tell_listen_failures();
    if (!parts_.feed.source().of_cluster())  // else nothing is chosen here
        parts_.state_file.save(parts_.engine.intake().allocator().choices());
    if (parts_.announcer.note_refusals(parts_.kernel_side.reconciler().refusals().version()))
        problems_changed();
    if (!all)
        return;
    if (parts_.kernel_side.reconciler().refusals().routes() == 0)  // else an address could be local by theirs alone
        parts_.host_watch.take_over(Clock::now());
    for (const auto& took : parts_.changes.exchange(std::chrono::system_clock::now()))
        parts_.metrics.programming_seconds.Observe(took.count());
}

void NodeMoments::problems_changed() {
    parts_.log_problems();
}

}  // namespace proxy
