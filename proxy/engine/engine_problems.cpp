#include "proxy/engine/engine_problems.hpp"

#include <bit>
#include <utility>

namespace proxy {

std::vector<api::Problem> problems_of(const Engine& engine) {
    std::vector<api::Problem> all = engine.intake().source_problems();
    for (const Conflict& conflict : engine.desired().claims().conflicts())
        all.push_back(problem_of(conflict, engine));
    for (const auto& [name, problems] : engine.planner().ledger().findings.problems().all())
        for (api::Problem& problem : plan_problems_of(name, engine))
            all.push_back(std::move(problem));
    for (api::Problem& problem : other_problems(engine))
        all.push_back(std::move(problem));
    return all;
}

api::Problem problem_of(const Conflict& conflict, const Engine& engine) {
    return {engine.intake().origin_of(conflict.service), "Service " + api::to_string(conflict.service),
            to_string(conflict), false};
}

std::vector<api::Problem> plan_problems_of(const api::ObjectName& service, const Engine& engine) {
    std::vector<api::Problem> problems;
    for (const std::string& text : engine.planner().ledger().findings.problems().of(service))
        problems.push_back({engine.intake().origin_of(service), "Service " + api::to_string(service), text, true});
    return problems;
}

std::vector<api::Problem> other_problems(const Engine& engine) {
    const std::set<api::ObjectName>& without_ipv6 = engine.planner().ledger().findings.without_ipv6();
    const std::string& scheduler = engine.facts().scheduler;
    std::vector<api::Problem> all;
    for (const auto& [name, waiting] : engine.intake().waiting())
        all.push_back({waiting.upsert.origin, "Service " + api::to_string(name), waiting.message, false});
    for (const HealthPortConflict& conflict : engine.health_ports().conflicts())
        all.push_back({engine.intake().origin_of(conflict.service), "Service " + api::to_string(conflict.service),
                       "spec.healthCheckNodePort: " + std::to_string(conflict.port) + " is that of Service " +
                           api::to_string(conflict.owner) + "; it is not answered for this one until that one goes",
                       false});
    if (!without_ipv6.empty())
        all.push_back({{},
                       "",
                       "IPv6 is off on this host (sysctl net.ipv6.conf.podferry0.disable_ipv6, or booted with "
                       "ipv6.disable=1): at least " +
                           std::to_string(std::bit_floor(without_ipv6.size())) + " Services, " +
                           api::to_string(*without_ipv6.begin()) +
                           " among them, are not served at their IPv6 addresses; they will be when it is on",
                       true});
    if (engine.planner().rules().missing_schedulers.contains(scheduler))
        all.push_back({{},
                       "",
                       "setting scheduler: this kernel has no scheduler " + scheduler + "; load its module ip_vs_" +
                           scheduler + ", which the next audit finds; until then rr is used",
                       true});
    for (const auto& [name, problems] : engine.probing().problems())
        for (const std::string& problem : problems)
            all.push_back({{}, "Pod " + api::to_string(name), problem, true});
    return all;
}

}  // namespace proxy
