// What is wrong now with what the engine knows.
#include <bit>

#include "proxy/engine/engine.hpp"

namespace proxy {

std::vector<api::Problem> Engine::problems() const {
    std::vector<api::Problem> all = source_problems_;
    for (const Conflict& conflict : desired_.claims().conflicts())
        all.push_back(problem_of(conflict));
    for (const auto& [name, problems] : plan_problems_.all())
        for (api::Problem& problem : plan_problems_of(name))
            all.push_back(std::move(problem));
    for (api::Problem& problem : other_problems())
        all.push_back(std::move(problem));
    return all;
}

api::Problem Engine::problem_of(const Conflict& conflict) const {
    return {origin_of(conflict.service), "Service " + api::to_string(conflict.service), to_string(conflict), false};
}

std::vector<api::Problem> Engine::plan_problems_of(const api::ObjectName& service) const {
    std::vector<api::Problem> problems;
    for (const std::string& text : plan_problems_.of(service))
        problems.push_back({origin_of(service), "Service " + api::to_string(service), text, true});
    return problems;
}

std::vector<api::Problem> Engine::other_problems() const {
    std::vector<api::Problem> all;
    for (const auto& [name, waiting] : waiting_)
        all.push_back({waiting.upsert.origin, "Service " + api::to_string(name), waiting.message, false});
    for (const HealthPortConflict& conflict : health_ports_.conflicts())
        all.push_back({origin_of(conflict.service), "Service " + api::to_string(conflict.service),
                       "spec.healthCheckNodePort: " + std::to_string(conflict.port) + " is that of Service " +
                           api::to_string(conflict.owner) + "; it is not answered for this one until that one goes",
                       false});
    if (!without_ipv6_.empty())
        all.push_back({{},
                       "",
                       "IPv6 is off on this host (sysctl net.ipv6.conf.podferry0.disable_ipv6, or booted with "
                       "ipv6.disable=1): at least " +
                           std::to_string(std::bit_floor(without_ipv6_.size())) + " Services, " +
                           api::to_string(*without_ipv6_.begin()) +
                           " among them, are not served at their IPv6 addresses; they will be when it is on",
                       true});
    if (missing_schedulers_.contains(facts_.scheduler))
        all.push_back({{},
                       "",
                       "setting scheduler: this kernel has no scheduler " + facts_.scheduler +
                           "; load its module ip_vs_" + facts_.scheduler +
                           ", which the next audit finds; until then rr is used",
                       true});
    for (const auto& [name, problems] : probing_.problems())
        for (const std::string& problem : problems)
            all.push_back({{}, "Pod " + api::to_string(name), problem, true});
    return all;
}

}  // namespace proxy
