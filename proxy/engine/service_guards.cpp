#include "proxy/engine/service_guards.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/plain_text.hpp"

namespace proxy {
namespace {

using health::MemberFate;

constexpr const char* pods_annotation = "podferry.io/second-opinion";
constexpr const char* nodes_annotation = "podferry.io/node-check";

/// That setting's, or the Service's own, where the setting is not off.
CheckMode mode_of(const api::Service& service, const char* annotation, CheckMode usual,
                  std::vector<std::string>& problems) {
    const auto found = service.annotations.find(annotation);
    if (found == service.annotations.end() || usual == CheckMode::off)
        return usual;
    for (const CheckMode mode : {CheckMode::off, CheckMode::observe, CheckMode::enforce})
        if (found->second == word(mode))
            return mode;
    problems.push_back(fmt::format("metadata.annotations[\"{}\"]: {} is not off, observe or enforce; {} is used",
                                   annotation, base::quoted(found->second), word(usual)));
    return usual;
}

std::string panic_problem(std::size_t port, bool ipv6, bool of_nodes) {
    return of_nodes
               ? fmt::format(
                     "spec.ports[{}]: most of its {} endpoints are on nodes that do not answer this one, though the "
                     "API says ready; all of them get connections, since it may be this node that is cut off",
                     port, ipv6 ? "IPv6" : "IPv4")
               : fmt::format(
                     "spec.ports[{}]: most of its {} endpoints fail their probes on this node, though the API says "
                     "ready; all of them get connections, since it may be the probes that are wrong",
                     port, ipv6 ? "IPv6" : "IPv4");
}

}  // namespace

/// What is held against an endpoint. `ejection` is nullptr: nothing.
struct ServiceGuards::Accusation {
    const health::Ejection* ejection = nullptr;
    CheckMode mode = CheckMode::off;
    bool of_node = false;

    std::optional<Time> since() const { return ejection == nullptr ? std::nullopt : std::optional(ejection->since); }
    bool is_of_dead() const { return ejection != nullptr && ejection->finding == health::Finding::dead; }
    std::string state() const { return !of_node ? "" : is_of_dead() ? "node dead" : "node suspect"; }
    std::string reason(MemberFate fate) const {
        const std::string& why = ejection->why;
        const std::string passes = ejection->passes ? "; it passes again, and has to for longer" : "";
        if (fate == MemberFate::out && mode == CheckMode::observe)
            return why + passes + "; only observed";
        return why + passes + "; " + std::string(health::word(fate));
    }
};

/// One Service's.
struct ServiceGuards::Judging {
    const Opinions& opinions;
    CheckMode pods;
    CheckMode nodes;
    Time now;
    std::map<Group, health::PanicState> before;
    Known known;
    std::vector<std::string> problems;
    std::map<netlink::RealServer, MemberFate> fates{};  // in the cluster's list, of those that fail

    Accusation against(const api::ResolvedEndpoint& endpoint) const {
        const CheckMode mode = endpoint.local ? pods : nodes;
        if (mode == CheckMode::off)
            return {};
        return {endpoint.local ? opinions.pods.of(endpoint.address) : opinions.nodes.of(*endpoint.node), mode,
                !endpoint.local};
    }
    bool is_about_anybody() const {
        return (pods != CheckMode::off && opinions.pods.ejections().out() > 0) ||
               (nodes != CheckMode::off && opinions.nodes.ejections().out() > 0) || !before.empty();
    }
};

void ServiceGuards::judge_group(Judging& judging, const Group& group, std::vector<api::ResolvedEndpoint*>& members) {
    const auto& [port, ipv6, here] = group;
    std::vector<health::Member> asked;
    std::vector<Accusation> accusations;
    for (const api::ResolvedEndpoint* endpoint : members) {
        accusations.push_back(judging.against(*endpoint));
        asked.push_back({endpoint->ready, accusations.back().since()});
    }
    const auto before = judging.before.find(group);
    const auto decision =
        health::decide(asked, {}, before == judging.before.end() ? health::PanicState{} : before->second, judging.now);
    if (decision.panic != health::PanicState{})
        judging.known.panics[group] = decision.panic;
    if (decision.again)
        judging.known.again = std::min(*decision.again, judging.known.again.value_or(*decision.again));
    if (decision.panic.panics && !here)
        judging.problems.push_back(
            panic_problem(port, ipv6, std::any_of(accusations.begin(), accusations.end(), [](const auto& accusation) {
                              return accusation.ejection != nullptr && accusation.of_node;
                          })));
    for (std::size_t i = 0; i < members.size(); ++i)
        judge_member(judging, group, *members[i], accusations[i], decision.fates[i]);
}

/// What the API calls not ready has no veto. On a dead node nothing of it stays, unless it is all that there is.
void ServiceGuards::judge_member(Judging& judging, const Group& group, api::ResolvedEndpoint& endpoint,
                                 const Accusation& accusation, MemberFate fate) {
    const auto& [port, ipv6, here] = group;
    if (accusation.ejection == nullptr)
        return;
    const bool enforced = accusation.mode == CheckMode::enforce;
    const bool serves = endpoint.serving && endpoint.terminating;  // one of the last resort
    if (!endpoint.ready) {
        endpoint.gone = enforced && accusation.is_of_dead() && !serves;
        return;
    }
    const bool out = fate == MemberFate::out && enforced;
    (here ? endpoint.vetoed_here : endpoint.vetoed) = out;
    const netlink::RealServer real{endpoint.address, endpoint.port};
    endpoint.gone = out && accusation.is_of_dead();
    if (endpoint.gone)
        judging.known.gone.insert({port, real});
    const auto [objection, is_first] =
        judging.known.objections.try_emplace(real, Objection{accusation.reason(fate), out ? accusation.state() : ""});
    if (is_first)
        judging.fates[real] = fate;
    else if (judging.fates[real] != fate)
        objection->second.reason += "; where only this node's count: " + std::string(health::word(fate));
}

std::vector<std::string> ServiceGuards::judge(const api::Service& service, std::vector<api::PortEndpoints>& endpoints,
                                              const Opinions& opinions, Time now) {
    if (!opinions.pods.is_wanted() && !opinions.nodes.is_wanted())
        return {};
    std::vector<std::string> problems;
    const CheckMode pods = mode_of(service, pods_annotation, opinions.pods.mode(), problems);
    const CheckMode nodes = mode_of(service, nodes_annotation, opinions.nodes.mode(), problems);
    Judging judging{opinions, pods, nodes, now, {}, {}, std::move(problems)};
    if (const auto former = services_.find(service.name); former != services_.end())
        judging.before = std::move(former->second.panics);
    if (opinions.pods.is_wanted())
        for (const api::PortEndpoints& group : endpoints)
            for (const api::ResolvedEndpoint& endpoint : group.endpoints)
                if (endpoint.local)
                    judging.known.local.insert(endpoint.address);
    if (judging.is_about_anybody())
        for (api::PortEndpoints& group : endpoints)
            for (const bool ipv6 : {false, true})
                for (const bool here : {false, true}) {
                    std::vector<api::ResolvedEndpoint*> members;
                    for (api::ResolvedEndpoint& endpoint : group.endpoints)
                        if (endpoint.address.is_v6() == ipv6 && (endpoint.local || !here))
                            members.push_back(&endpoint);
                    if (!members.empty())
                        judge_group(judging, {group.port_index, ipv6, here}, members);
                }
    put(service.name, std::move(judging.known));
    return std::move(judging.problems);
}

void ServiceGuards::put(const api::ObjectName& service, Known known) {
    forget(service);
    if (std::any_of(known.panics.begin(), known.panics.end(), [](const auto& entry) { return entry.second.panics; }))
        panicking_.insert(service);
    if (known.local.empty() && known.panics.empty() && known.objections.empty())
        return;
    for (const base::Address& address : known.local)
        by_address_[address].insert(service);
    services_[service] = std::move(known);
}

void ServiceGuards::forget(const api::ObjectName& service) {
    panicking_.erase(service);
    const auto found = services_.find(service);
    if (found == services_.end())
        return;
    for (const base::Address& address : found->second.local) {
        const auto at = by_address_.find(address);
        at->second.erase(service);
        if (at->second.empty())
            by_address_.erase(at);
    }
    services_.erase(found);
}

std::set<api::ObjectName> ServiceGuards::review(Time now) {
    std::set<api::ObjectName> due;
    for (const api::ObjectName& name : panicking_) {
        Known& known = services_.at(name);
        if (!known.again || now < *known.again)
            continue;
        known.again.reset();
        due.insert(name);
    }
    return due;
}

std::optional<Time> ServiceGuards::next() const {
    std::optional<Time> next;
    for (const api::ObjectName& name : panicking_)
        if (const auto& again = services_.at(name).again)
            next = std::min(*again, next.value_or(*again));
    return next;
}

std::set<api::ObjectName> ServiceGuards::services_at(const base::Address& address) const {
    const auto found = by_address_.find(address);
    return found == by_address_.end() ? std::set<api::ObjectName>{} : found->second;
}

const Objection* ServiceGuards::objection(const api::ObjectName& service, const netlink::RealServer& real) const {
    const auto known = services_.find(service);
    if (known == services_.end())
        return nullptr;
    const auto found = known->second.objections.find(real);
    return found == known->second.objections.end() ? nullptr : &found->second;
}

std::string ServiceGuards::reason(const api::ObjectName& service, const netlink::RealServer& real) const {
    const Objection* found = objection(service, real);
    return found == nullptr ? "" : found->reason;
}

std::set<netlink::RealServer> ServiceGuards::gone(const api::ObjectName& service, std::size_t port) const {
    std::set<netlink::RealServer> gone;
    if (const auto known = services_.find(service); known != services_.end())
        for (const auto& [at, real] : known->second.gone)
            if (at == port)
                gone.insert(real);
    return gone;
}

}  // namespace proxy
