#include "proxy/engine/departures.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "netlink/schedulers.hpp"

namespace proxy {
namespace {

bool has_ended(const api::Pod& pod) {
    return pod.phase == api::PodPhase::succeeded || pod.phase == api::PodPhase::failed;
}

/// The real servers that a Service's endpoints are, walked once. They are sorted when somebody asks for one: most plans
/// leave out none of the former.
class Listed {
public:
    explicit Listed(const std::vector<api::PortEndpoints>& endpoints) {
        for (const api::PortEndpoints& group : endpoints)
            for (const api::ResolvedEndpoint& endpoint : group.endpoints) {
                all_.push_back({endpoint.address, endpoint.port});
                if (endpoint.terminating)
                    terminating.insert(all_.back());
                if (endpoint.gone)
                    gone.insert(all_.back());
            }
    }

    std::set<netlink::RealServer> terminating;
    std::set<netlink::RealServer> gone;  // with their nodes

    bool contains(const netlink::RealServer& real) {
        const auto place = lower_bound(real);
        return place != all_.end() && *place == real;
    }
    bool has_address(const base::Address& address) {
        const auto place = lower_bound({address, 0});
        return place != all_.end() && place->address == address;
    }

private:
    std::vector<netlink::RealServer>::const_iterator lower_bound(const netlink::RealServer& real) {
        if (!std::exchange(sorted_, true))
            std::sort(all_.begin(), all_.end());
        return std::lower_bound(all_.cbegin(), all_.cend(), real);
    }

    std::vector<netlink::RealServer> all_;
    bool sorted_ = false;
};

/// The marks of virtual servers of UDP: their keys do not say the protocol.
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
    Listed listed(planning.endpoints);
    const auto how = [&](const netlink::RealServer& real) {
        if (listed.gone.contains(real))
            return Departure::dead;
        if (listed.contains(real))
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
    // What was terminating and is gone has ended.
    std::set<base::Address> gone;
    if (were != terminating_.end())
        for (const netlink::RealServer& real : were->second)
            if (!listed.has_address(real.address))
                gone.insert(real.address);
    draining_.end(gone);
    if (listed.terminating.empty())
        terminating_.erase(planning.name);
    else
        terminating_[planning.name] = std::move(listed.terminating);
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
