#include "proxy/engine/probing.hpp"

#include <algorithm>

#include "proxy/engine/probes.hpp"
#include "proxy/engine/second_opinion.hpp"

namespace proxy {
namespace {

/// Failed if any container has failed; else unknown if any has not answered; else ready.
template <class Containers>
PodVerdict together(const Containers& containers) {
    PodVerdict result = containers.empty() ? PodVerdict::not_probed : PodVerdict::ready;
    for (const auto& [subject, container] : containers) {
        if (container.verdict == health::Verdict::failed)
            return PodVerdict::failed;
        if (container.verdict == health::Verdict::unknown)
            result = PodVerdict::unknown;
    }
    return result;
}

}  // namespace

void Probing::apply(const api::Transaction& transaction) {
    for (const api::Removal& removal : transaction.removals)
        if (removal.kind == api::Kind::pod)
            remove(removal.name);
    for (const api::Upsert& upsert : transaction.upserts)
        if (const auto* pod = std::get_if<api::Pod>(&upsert.object))
            put(*pod, transaction.initial);
    opinion_.apply(transaction, verdicts_);
}

/// The same container of a pod keeps its verdict, another one starts anew, as with the prober.
void Probing::put(const api::Pod& pod, bool initial) {
    std::vector<std::string> problems;
    Targets targets = word_ == Word::first ? probe_targets(pod, runtime_socket_, problems)
                                           : second_opinion_targets(pod, runtime_socket_);
    ++described_;
    if (problems.empty())
        problems_.erase(pod.name);
    else
        problems_[pod.name] = std::move(problems);
    if (word_ == Word::first && (initial || verdicts_.awaits(pod.name)))
        verdicts_.await(pod.name, pod.ips);
    const auto known = pods_.find(pod.name);
    const bool was_probed = known != pods_.end();
    Containers containers;
    for (const auto& [subject, target] : targets) {
        Container& container = containers[subject];
        container.incarnation = target.incarnation;
        if (!was_probed)
            continue;
        const auto former = known->second.find(subject);
        if (former != known->second.end() && former->second.incarnation == target.incarnation)
            container.verdict = former->second.verdict;
    }
    verdicts_.put(pod.name, together(containers));
    containers_ += containers.size();
    if (was_probed)
        containers_ -= known->second.size();
    if (was_probed || !targets.empty())
        changed_[probe_name(pod.name)] = std::move(targets);
    if (containers.empty())
        pods_.erase(pod.name);
    else
        pods_[pod.name] = std::move(containers);
}

void Probing::remove(const api::ObjectName& pod) {
    problems_.erase(pod);
    verdicts_.remove(pod);
    const auto known = pods_.find(pod);
    if (known == pods_.end())
        return;
    containers_ -= known->second.size();
    changed_[probe_name(pod)] = {};
    pods_.erase(known);
}

std::optional<api::ObjectName> Probing::note(const health::Subject& subject, health::Verdict verdict) {
    const auto slash = subject.pod.find('/');
    if (slash == std::string::npos)
        return std::nullopt;
    const auto pod = pods_.find(api::ObjectName{subject.pod.substr(0, slash), subject.pod.substr(slash + 1)});
    if (pod == pods_.end())
        return std::nullopt;
    const auto container = pod->second.find(subject);
    if (container == pod->second.end())
        return std::nullopt;
    container->second.verdict = verdict;
    return verdicts_.put(pod->first, together(pod->second)) ? std::optional(pod->first) : std::nullopt;
}

}  // namespace proxy
