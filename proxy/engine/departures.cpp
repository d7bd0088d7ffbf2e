#include "proxy/engine/departures.hpp"

#include <algorithm>
#include <functional>
#include <optional>

#include "netlink/schedulers.hpp"

namespace proxy {
namespace {

bool has_ended(const api::Pod& pod) {
    return pod.phase == api::PodPhase::succeeded || pod.phase == api::PodPhase::failed;
}

/// Of `terminating` ones, the addresses that no endpoint has any more.
std::set<base::Address> gone(const std::set<netlink::RealServer>& terminating,
                             const std::vector<api::PortEndpoints>& endpoints) {
    std::set<base::Address> addresses;
    for (const netlink::RealServer& real : terminating)
        addresses.insert(real.address);
    for (const api::PortEndpoints& group : endpoints)
        for (const api::ResolvedEndpoint& endpoint : group.endpoints)
            addresses.erase(endpoint.address);
    return addresses;
}

/// Which real servers are endpoints; looked at only when one has left.
class Listed {
public:
    explicit Listed(const std::vector<api::PortEndpoints>& endpoints) : endpoints_(endpoints) {}
    bool operator()(const netlink::RealServer& real) {
        if (!known_) {
            known_.emplace();
            for (const api::PortEndpoints& group : endpoints_)
                for (const api::ResolvedEndpoint& endpoint : group.endpoints)
                    known_->insert({endpoint.address, endpoint.port});
        }
        return known_->contains(real);
    }

private:
    const std::vector<api::PortEndpoints>& endpoints_;
    std::optional<std::set<netlink::RealServer>> known_;
};

std::set<netlink::RealServer> terminating_ones(const std::vector<api::PortEndpoints>& endpoints) {
    std::set<netlink::RealServer> found;
    for (const api::PortEndpoints& group : endpoints)
        for (const api::ResolvedEndpoint& endpoint : group.endpoints)
            if (endpoint.terminating)
                found.insert({endpoint.address, endpoint.port});
    return found;
}

/// Of the virtual servers that packets reach by their mark, those of UDP: their keys do not say it.
std::set<std::uint32_t> udp_marks(const ServicePlan& plan) {
    std::set<std::uint32_t> marks;
    for (const netlink::Element& element : plan.elements)
        if (element.mark != 0 && element.protocol == netlink::Protocol::udp)
            marks.insert(element.mark);
    return marks;
}

}  // namespace

std::set<base::Address> ended_pods(const api::Transaction& transaction, const api::Store& store) {
    std::set<base::Address> ended;
    const auto note = [&](const api::ObjectName& name) {
        if (const auto pod = store.pods().find(name); pod != store.pods().end())
            ended.insert(pod->ips.begin(), pod->ips.end());
    };
    for (const api::Removal& removal : transaction.removals)
        if (removal.kind == api::Kind::pod)
            note(removal.name);
    for (const api::Upsert& upsert : transaction.upserts)
        if (const auto* pod = std::get_if<api::Pod>(&upsert.object); pod != nullptr && has_ended(*pod))
            note(pod->name);
    return ended;
}

void Departures::note_ended(const std::set<base::Address>& pods) {
    ended_.insert(pods.begin(), pods.end());
    draining_.end(ended_);
}

/// Adds the virtual servers with marks that the plan does not need any more: no new connection is given their marks,
/// and those that are under way find their real servers there without (ip_vs_conn_in_get()) until they end.
template <class How>
void Departures::keep_marked(Planning& planning, How how, const Desired& desired, const Marks& marks) {
    ServicePlan& plan = planning.plan;
    const auto uses = marks.of(planning.name);
    if (uses.size() == plan.marks.size())
        return;
    std::multimap<std::uint32_t, netlink::VirtualServer> servers;  // by mark: one of each family
    for (const netlink::VirtualServer& server : desired.servers_of(planning.name))
        if (server.mark != 0)
            servers.emplace(server.mark, server);
    for (const auto& [use, mark] : uses) {
        if (plan.marks.contains(use) || use.protocol == api::Protocol::udp)
            continue;
        const auto [begin, end] = servers.equal_range(mark);
        for (auto place = begin; place != end; ++place) {
            const netlink::VirtualServer& server = place->second;
            const netlink::VirtualServerState& former = *desired.find(server);
            netlink::VirtualServerState state{former.settings, {}};
            draining_.keep(server, former.real_servers, how, state.real_servers);
            if (state.real_servers.empty())
                continue;
            plan.virtual_servers.push_back({server, std::move(state), FrontEndKind::cluster_ip});
            plan.elements.push_back({netlink::Set::mark, {}, netlink::Protocol::none, 0, mark});
            plan.marks.insert(use);
        }
    }
}

void Departures::keep(Planning& planning, const Desired& desired, const Marks& marks, const Mirror& kernel) {
    static const netlink::RealServers none;
    const auto were = terminating_.find(planning.name);
    Listed lists(planning.endpoints);
    const auto how = [&](const netlink::RealServer& real) {
        if (lists(real))
            return Departure::listed;
        const bool was_terminating = were != terminating_.end() && were->second.contains(real);
        return was_terminating || ended_.contains(real.address) ? Departure::ended : Departure::vanished;
    };
    const auto of_udp = planning.plan.marks.empty() ? std::set<std::uint32_t>{} : udp_marks(planning.plan);
    for (auto& [server, state, kind] : planning.plan.virtual_servers) {
        if (server.protocol == netlink::Protocol::udp || of_udp.contains(server.mark))
            continue;
        if (!desired.claims().will_have(server, planning.name, {kind, planning.age}))
            continue;
        const netlink::RealServers* former = desired.claims().has(planning.name, server)
                                                 ? &desired.find(server)->real_servers
                                                 : kernel.real_servers(server);
        const bool drains = former != nullptr && netlink::passes_over_weight_0(state.settings.scheduler);
        draining_.keep(server, drains ? *former : none, how, state.real_servers);
    }
    keep_marked(planning, std::ref(how), desired, marks);
    note_terminating(planning);
}

/// What was terminating and is gone has ended.
void Departures::note_terminating(const Planning& planning) {
    const auto were = terminating_.find(planning.name);
    if (were != terminating_.end())
        draining_.end(gone(were->second, planning.endpoints));
    auto terminating = terminating_ones(planning.endpoints);
    if (terminating.empty())
        terminating_.erase(planning.name);
    else
        terminating_[planning.name] = std::move(terminating);
}

void Departures::forget_unwanted(const std::vector<netlink::VirtualServer>& servers, const Desired& desired) {
    for (const netlink::VirtualServer& server : servers)
        if (desired.find(server) == nullptr)
            draining_.forget(server);
}

std::size_t Departures::review(Time now, const Draining::Counted& counted, Desired& desired,
                               std::set<api::ObjectName>& dirty) {
    const auto done = draining_.review(now, counted);
    for (const auto& [server, real] : done) {
        desired.drop(server, real);
        const auto* left = server.mark != 0 ? desired.find(server) : nullptr;
        if (left != nullptr && left->real_servers.empty())
            dirty.insert(*desired.owner(server));
    }
    return done.size();
}

}  // namespace proxy
