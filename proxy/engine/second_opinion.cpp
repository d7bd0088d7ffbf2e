#include "proxy/engine/second_opinion.hpp"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "proxy/engine/probes.hpp"

namespace proxy {
namespace {

bool runs(const api::Pod& pod, const std::string& container) {
    return std::any_of(pod.container_statuses.begin(), pod.container_statuses.end(), [&](const auto& status) {
        return status.name == container && status.state == api::ContainerState::running && status.started != false;
    });
}

std::string ids_of(const api::Pod& pod) {
    std::string ids = pod.uid;
    for (const api::ContainerStatus& status : pod.container_statuses)
        ids += " " + status.container_id;
    return ids;
}

health::Finding finding_of(PodVerdict verdict) {
    switch (verdict) {
        case PodVerdict::ready:
            return health::Finding::passes;
        case PodVerdict::failed:
            return health::Finding::failed;
        case PodVerdict::not_probed:
        case PodVerdict::unknown:
            break;
    }
    return health::Finding::unknown;
}

}  // namespace

/// What cannot be run here the kubelet runs: nothing of it is a problem.
std::map<health::Subject, health::Target> second_opinion_targets(const api::Pod& pod,
                                                                 const std::string& runtime_socket) {
    if (pod.host_network || pod.terminating)
        return {};
    api::Pod asked = pod;
    std::erase_if(asked.containers, [&](const api::Container& container) { return !runs(pod, container.name); });
    for (api::Container& container : asked.containers)
        container.liveness = container.startup = std::nullopt;
    std::vector<std::string> not_here;
    return probe_targets(asked, runtime_socket, not_here);
}

void SecondOpinion::apply(const api::Transaction& transaction, const Verdicts& verdicts) {
    if (!is_wanted())
        return;
    for (const api::Removal& removal : transaction.removals)
        if (removal.kind == api::Kind::pod)
            remove(removal.name);
    for (const api::Upsert& upsert : transaction.upserts)
        if (const auto* pod = std::get_if<api::Pod>(&upsert.object)) {
            put(*pod);
            note(pod->name, verdicts.of(pod->name), "");
        }
}

void SecondOpinion::put(const api::Pod& pod) {
    std::string ids = ids_of(pod);
    const auto [entry, fresh] = pods_.try_emplace(pod.name);
    Known& known = entry->second;
    if (!fresh && known.containers != ids)
        ejections_.renew(api::to_string(pod.name));
    const std::set<base::Address> addresses(pod.ips.begin(), pod.ips.end());
    if (known.addresses != addresses)
        forget_addresses(pod.name, known);
    known = {std::move(ids), pod.node_name, std::move(known.why), addresses};
    if (!pod.host_network)
        for (const base::Address& address : addresses)
            by_address_[address] = pod.name;
}

void SecondOpinion::forget_addresses(const api::ObjectName& pod, const Known& known) {
    for (const base::Address& address : known.addresses) {
        const auto found = by_address_.find(address);
        if (found == by_address_.end() || found->second != pod)
            continue;
        if (of(address) != nullptr)
            touched_.insert(address);
        by_address_.erase(found);
    }
}

void SecondOpinion::remove(const api::ObjectName& pod) {
    const auto found = pods_.find(pod);
    if (found == pods_.end())
        return;
    forget_addresses(pod, found->second);
    ejections_.remove(api::to_string(pod));
    pods_.erase(found);
}

void SecondOpinion::note(const api::ObjectName& pod, PodVerdict verdict, const std::string& why) {
    const auto known = pods_.find(pod);
    if (known == pods_.end())
        return;
    if (!why.empty())
        known->second.why = why;
    if (verdict == PodVerdict::not_probed)
        ejections_.remove(api::to_string(pod));
    else
        ejections_.put(api::to_string(pod), finding_of(verdict), verdict == PodVerdict::failed ? known->second.why : "",
                       known->second.node);
}

std::set<base::Address> SecondOpinion::review(Time now) {
    std::set<base::Address> changed = std::exchange(touched_, {});
    for (const std::string& target : ejections_.review(now)) {
        const auto slash = target.find('/');
        const auto pod = pods_.find(api::ObjectName{target.substr(0, slash), target.substr(slash + 1)});
        if (pod != pods_.end())
            changed.insert(pod->second.addresses.begin(), pod->second.addresses.end());
    }
    return changed;
}

const health::Ejection* SecondOpinion::of(const base::Address& address) const {
    const auto pod = by_address_.find(address);
    return pod == by_address_.end() ? nullptr : ejections_.of(api::to_string(pod->second));
}

}  // namespace proxy
