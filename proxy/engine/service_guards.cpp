#include "proxy/engine/service_guards.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/plain_text.hpp"

namespace proxy {
namespace {

using health::MemberFate;

constexpr const char* annotation = "podferry.io/second-opinion";

CheckMode mode_of(const api::Service& service, CheckMode usual, std::vector<std::string>& problems) {
    const auto found = service.annotations.find(annotation);
    if (found == service.annotations.end())
        return usual;
    for (const CheckMode mode : {CheckMode::off, CheckMode::observe, CheckMode::enforce})
        if (found->second == word(mode))
            return mode;
    problems.push_back(fmt::format("metadata.annotations[\"{}\"]: {} is not off, observe or enforce; {} is used",
                                   annotation, base::quoted(found->second), word(usual)));
    return usual;
}

std::string reason_of(const health::Ejection& ejection, MemberFate fate, CheckMode mode) {
    const std::string passes = ejection.passes ? "; it passes again, and has to for longer" : "";
    if (fate == MemberFate::out && mode == CheckMode::observe)
        return ejection.why + passes + "; only observed";
    return ejection.why + passes + "; " + std::string(health::word(fate));
}

}  // namespace

/// One Service's.
struct ServiceGuards::Judging {
    const api::Service& service;
    const SecondOpinion& opinion;
    CheckMode mode;
    Time now;
    std::map<Group, health::PanicState> before;
    Known known;
    std::vector<std::string> problems;
    std::map<netlink::RealServer, MemberFate> fates{};  // in the cluster's list, of those that fail
};

void ServiceGuards::judge_group(Judging& judging, const Group& group, std::vector<api::ResolvedEndpoint*>& members) {
    const auto& [port, ipv6, here] = group;
    std::vector<health::Member> asked;
    asked.reserve(members.size());
    for (const api::ResolvedEndpoint* endpoint : members) {
        const health::Ejection* out = endpoint->local ? judging.opinion.of(endpoint->address) : nullptr;
        asked.push_back({endpoint->ready, out == nullptr ? std::nullopt : std::optional(out->since)});
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
            fmt::format("spec.ports[{}]: most of its {} endpoints fail their probes on this node, though the API says "
                        "ready; all of them get connections, since it may be the probes that are wrong",
                        port, ipv6 ? "IPv6" : "IPv4"));
    for (std::size_t i = 0; i < members.size(); ++i) {
        if (!asked[i].ready || !asked[i].out_since)
            continue;
        api::ResolvedEndpoint& endpoint = *members[i];
        const bool out = decision.fates[i] == MemberFate::out && judging.mode == CheckMode::enforce;
        (here ? endpoint.vetoed_here : endpoint.vetoed) = out;
        const netlink::RealServer real{endpoint.address, endpoint.port};
        const MemberFate fate = decision.fates[i];
        const auto [reason, is_first] = judging.known.reasons.try_emplace(
            real, reason_of(*judging.opinion.of(endpoint.address), fate, judging.mode));
        if (is_first)
            judging.fates[real] = fate;
        else if (judging.fates[real] != fate)
            reason->second += "; where only this node's count: " + std::string(health::word(fate));
    }
}

std::vector<std::string> ServiceGuards::judge(const api::Service& service, std::vector<api::PortEndpoints>& endpoints,
                                              const SecondOpinion& opinion, Time now) {
    if (!opinion.is_wanted())
        return {};
    const auto former = services_.find(service.name);
    std::vector<std::string> problems;
    const CheckMode mode = mode_of(service, opinion.mode(), problems);
    Judging judging{service, opinion, mode, now, {}, {}, std::move(problems)};
    if (former != services_.end())
        judging.before = std::move(former->second.panics);
    for (const api::PortEndpoints& group : endpoints)
        for (const api::ResolvedEndpoint& endpoint : group.endpoints)
            if (endpoint.local)
                judging.known.local.insert(endpoint.address);
    if (mode != CheckMode::off && (opinion.ejections().out() > 0 || !judging.before.empty()))
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
    if (known.local.empty())
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

std::string ServiceGuards::reason(const api::ObjectName& service, const netlink::RealServer& real) const {
    const auto known = services_.find(service);
    if (known == services_.end())
        return "";
    const auto found = known->second.reasons.find(real);
    return found == known->second.reasons.end() ? "" : found->second;
}

}  // namespace proxy
