// Which pods are probed and what has come of it. A pod's probes are described once, when it comes or changes; verdicts
// are kept as they arrive. No I/O: the node role carries targets to the prober and its reports back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/objects/source.hpp"
#include "health/prober.hpp"
#include "proxy/engine/second_opinion.hpp"
#include "proxy/plan/verdicts.hpp"

namespace proxy {

class Probing {
public:
    using Targets = std::map<health::Subject, health::Target>;

    /// Says whether its pods' readiness is podferry's to say (probes.hpp), or the kubelet's (second_opinion.hpp): then
    /// nobody waits for a verdict at the start.
    enum class Word : std::uint8_t { first, second };
    /// `runtime_socket`: of the container runtime; empty: exec probes are not run.
    explicit Probing(Word word = Word::first, CheckMode mode = CheckMode::off, std::string runtime_socket = {})
        : word_(word),
          runtime_socket_(std::move(runtime_socket)),
          opinion_(word == Word::second ? mode : CheckMode::off) {}

    /// Its pods; Services and the rest are passed over. Costs what it names.
    void apply(const api::Transaction& transaction);

    /// A container's verdict has arrived. The pod whose verdict that changes; nullopt: none's, or nobody probes that
    /// container any more.
    std::optional<api::ObjectName> note(const health::Subject& subject, health::Verdict verdict);

    const Verdicts& verdicts() const { return verdicts_; }
    SecondOpinion& second_opinion() { return opinion_; }
    const SecondOpinion& second_opinion() const { return opinion_; }

    /// What is to be probed of the pods that have come, changed or gone since the last call, by their names in a
    /// Subject.
    std::map<std::string, Targets> exchange_changed() { return std::exchange(changed_, {}); }

    /// Containers that are probed.
    std::size_t containers() const { return containers_; }

    /// Probes that podferry cannot run, by pod.
    const std::map<api::ObjectName, std::vector<std::string>>& problems() const { return problems_; }

    /// How often the probes of a pod have been described so far: tests hold costs to it.
    std::uint64_t described() const { return described_; }

private:
    struct Container {
        std::string incarnation;
        health::Verdict verdict = health::Verdict::unknown;
    };
    using Containers = std::map<health::Subject, Container>;

    void put(const api::Pod& pod, bool initial);
    void remove(const api::ObjectName& pod);

    Word word_;
    std::string runtime_socket_;
    SecondOpinion opinion_;
    std::map<api::ObjectName, Containers> pods_;  // those that are probed
    Verdicts verdicts_;
    std::map<std::string, Targets> changed_;
    std::map<api::ObjectName, std::vector<std::string>> problems_;
    std::size_t containers_ = 0;
    std::uint64_t described_ = 0;
};

}  // namespace proxy
