#include "proxy/engine/service_view.hpp"

#include <algorithm>
#include <map>

#include "proxy/plan/front_ends.hpp"
#include "proxy/plan/words.hpp"

namespace proxy {
namespace {

constexpr std::size_t most_shown = 4096;  // front ends of a Service: it can ask for a million, which are not served

constexpr std::string_view word(Fate fate) {
    switch (fate) {
        case Fate::carried:
            return "carried";
        case Fate::refused:
            return "refused";
        case Fate::dropped:
            return "dropped";
        case Fate::absent:
            break;
    }
    return "not in the kernel";
}

std::string_view word(api::TrafficPolicy policy) {
    return policy == api::TrafficPolicy::local ? "Local" : "Cluster";
}

constexpr std::string_view word(FrontEndKind kind) {
    switch (kind) {
        case FrontEndKind::cluster_ip:
            return "ClusterIP";
        case FrontEndKind::node_port:
            return "node port";
        case FrontEndKind::load_balancer:
            return "load balancer";
        case FrontEndKind::external_ip:
            break;
    }
    return "external IP";
}

}  // namespace

std::vector<AskedFrontEnd> asked_front_ends(const api::Service& service, const NodeFacts& node) {
    const auto external = named_addresses(service);
    const auto wishes = front_ends_of(service, external, node, most_shown, Asked::all);
    std::vector<AskedFrontEnd> asked;
    asked.reserve(wishes.first.size());
    std::map<netlink::VirtualServer, std::size_t> places;
    for (const FrontEndWish& wish : by_port(wishes.first, service)) {
        const netlink::VirtualServer server = server_of(wish, service);
        const std::string kind(word(wish.kind));
        const api::TrafficPolicy policy =
            wish.kind == FrontEndKind::cluster_ip ? service.internal_traffic_policy : service.external_traffic_policy;
        const auto [place, is_new] = places.try_emplace(server, asked.size());
        if (is_new) {
            asked.push_back({server, kind, &service.ports[wish.port_index], policy});
            continue;
        }
        AskedFrontEnd& twin = asked[place->second];
        if (twin.kind.find(kind) == std::string::npos)
            twin.kind += ", " + kind;
        twin.policy = policy;
    }
    return asked;
}

ServiceViews::ServiceViews(const netlink::KernelState& kernel, const Desired& desired, const NodeFacts& node,
                           const ServiceGuards& guards, const ServerStates& states)
    : kernel_(kernel), desired_(desired), node_(node), guards_(guards), states_(states) {}

std::vector<netlink::VirtualServer> ServiceViews::reached_by(const AskedFrontEnd& claim) const {
    std::vector<netlink::VirtualServer> servers;
    for (const Client client : {Client::outside, Client::inside}) {
        const ClientPath path = path_of(kernel_, is_own(claim.server), claim.server, client);
        if (path.fate != Fate::dropped)
            servers.insert(servers.end(), {claim.server, path.server});
    }
    return servers;
}

std::vector<BackendView> ServiceViews::leftover(const api::ObjectName& service,
                                                const std::set<netlink::VirtualServer>& shown) const {
    std::vector<BackendView> left;
    for (const netlink::VirtualServer& server : desired_.servers_of(service))
        if (!shown.contains(server))
            for (BackendView& backend : backends(server))
                left.push_back(std::move(backend));
    return left;
}

ServiceView ServiceViews::of(const api::Service& service) const {
    ServiceView view{service.name, std::string(proxy::word(service.type)), {}, {}};
    std::set<netlink::VirtualServer> shown;
    for (const AskedFrontEnd& claim : asked_front_ends(service, node_)) {
        view.front_ends.push_back(front_end(service, claim));
        for (const netlink::VirtualServer& server : reached_by(claim))
            shown.insert(server);
    }
    view.leftover = leftover(service.name, shown);
    return view;
}

/// Services without an address are left out, unless something of theirs drains.
bool ServicesPage::begin_next() {
    const auto place = last_ ? services_.upper_bound(*last_) : services_.begin();
    if (place == services_.end())
        return false;
    last_ = place->name;
    current_ = std::make_unique<Shown>(Shown{*place, {}, 0, {}});
    current_->front_ends = asked_front_ends(current_->service, views_.node());
    if (!current_->front_ends.empty())
        text_.begin({place->name, std::string(proxy::word(place->type)), {}, {}});
    return true;
}

std::size_t ServicesPage::show_front_end() {
    const AskedFrontEnd& claim = current_->front_ends[current_->next++];
    const FrontEndView view = views_.front_end(current_->service, claim);
    for (const netlink::VirtualServer& server : views_.reached_by(claim))
        current_->servers.insert(server);
    text_.add(view);
    return 1 + view.outside.backends.size() + view.inside.backends.size();
}

std::size_t ServicesPage::end_service() {
    const auto left = views_.leftover(current_->service.name, current_->servers);
    if (current_->front_ends.empty() && !left.empty())
        text_.begin({current_->service.name, std::string(proxy::word(current_->service.type)), {}, {}});
    if (!current_->front_ends.empty() || !left.empty())
        text_.end(left);
    current_.reset();
    return left.size();
}

bool ServicesPage::next(std::size_t most) {
    for (std::size_t shown = 0; shown < most; ++shown) {
        if (!current_ && !begin_next())
            return false;
        shown += current_->next < current_->front_ends.size() ? show_front_end() : end_service();
    }
    return true;
}

bool ServiceViews::is_own(const netlink::VirtualServer& server) const {
    return node_.own_addresses.contains(server.address);
}

FrontEndView ServiceViews::front_end(const api::Service& service, const AskedFrontEnd& claim) const {
    FrontEndView view;
    view.kind = claim.kind;
    view.address = claim.server.address.to_string();
    view.port = claim.server.port;
    view.protocol = std::string(proxy::word(claim.port->protocol));
    view.port_name = claim.port->name;
    view.policy = std::string(word(claim.policy));
    const api::ObjectName* owner = desired_.owner(claim.server);
    if (owner != nullptr && *owner == service.name) {
        view.outside = reach(claim.server, Client::outside);
        view.inside = reach(claim.server, Client::inside);
        add_gone(service, claim, view);
        if (path_of(kernel_, is_own(claim.server), claim.server, Client::outside).restricted)
            for (const base::Prefix& network : service.source_ranges)
                if (network.address.is_v6() == claim.server.address.is_v6())
                    view.only_from.push_back(to_string(network));
        return view;
    }
    const api::ObjectName* holder = desired_.claims().waits_for(claim.server, service.name);
    if (holder != nullptr)
        view.waits_for = api::to_string(*holder);
    view.outside.fate = view.inside.fate = holder != nullptr ? "waits" : "not served";
    return view;
}

/// Those on dead nodes, which the kernel has no more: they would be among all nodes' endpoints.
void ServiceViews::add_gone(const api::Service& service, const AskedFrontEnd& claim, FrontEndView& view) const {
    const auto port = static_cast<std::size_t>(claim.port - service.ports.data());
    const auto add = [&](const netlink::RealServer& real, std::vector<BackendView>& to) {
        const BackendView shown = backend(claim.server, real, nullptr, nullptr);
        if (std::none_of(to.begin(), to.end(), [&](const BackendView& other) {
                return other.address == shown.address && other.port == shown.port;
            }))
            to.push_back(shown);
    };
    for (const netlink::RealServer& real : guards_.gone(service.name, port)) {
        if (real.address.is_v6() != claim.server.address.is_v6())
            continue;
        const bool only_local = claim.policy == api::TrafficPolicy::local;
        if (!only_local)
            add(real, view.outside.backends);
        if (!only_local || claim.kind.find(word(FrontEndKind::cluster_ip)) == std::string::npos)
            add(real, view.inside.backends);
    }
}

ReachView ServiceViews::reach(const netlink::VirtualServer& front_end, Client client) const {
    const ClientPath path = path_of(kernel_, is_own(front_end), front_end, client);
    ReachView view{std::string(word(path.fate)), {}};
    if (path.fate == Fate::carried || path.fate == Fate::refused)
        view.backends = backends(path.server);
    return view;
}

/// Those in the kernel, and those that are to come.
std::vector<BackendView> ServiceViews::backends(const netlink::VirtualServer& server) const {
    static const netlink::RealServers none;
    const auto present = kernel_.virtual_servers.find(server);
    const auto& actual = present == kernel_.virtual_servers.end() ? none : present->second.real_servers;
    const netlink::VirtualServerState* state = desired_.find(server);
    const auto& wanted = state == nullptr ? none : state->real_servers;
    const auto weight = [](const netlink::RealServers& of, const netlink::RealServer& real) -> const int* {
        const auto found = of.find(real);
        return found == of.end() ? nullptr : &found->second;
    };
    std::vector<BackendView> all;
    for (const auto& [real, is] : actual)
        all.push_back(backend(server, real, weight(wanted, real), &is));
    for (const auto& [real, to_be] : wanted)
        if (!actual.contains(real))
            all.push_back(backend(server, real, &to_be, nullptr));
    return all;
}

BackendView ServiceViews::backend(const netlink::VirtualServer& server, const netlink::RealServer& real,
                                  const int* wanted, const int* actual) const {
    BackendView view{real.address.to_string(), real.port, actual == nullptr ? -1 : *actual, "pending", ""};
    if (actual != nullptr && wanted != nullptr && (*actual > 0) == (*wanted > 0))
        view.state = std::string(proxy::word(states_.of(server, real, *actual)));
    const api::ObjectName* owner = desired_.owner(server);
    const Objection* objection = owner == nullptr ? nullptr : guards_.objection(*owner, real);
    if (objection == nullptr)
        return view;
    view.reason = objection->reason;
    const bool settled = view.state != "pending" || (actual == nullptr && wanted == nullptr);
    if (!objection->state.empty() && view.weight <= 0 && settled)
        view.state = objection->state;
    return view;
}

}  // namespace proxy
