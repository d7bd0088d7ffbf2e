// What is wrong now with what an engine knows, for people. Pure.
#pragma once

#include <vector>

#include "api/objects/source.hpp"
#include "proxy/engine/engine.hpp"

namespace proxy {

/// All problems that exist now: of the source, of conflicts, of plans, and other ones.
std::vector<api::Problem> problems_of(const Engine& engine);

api::Problem problem_of(const Conflict& conflict, const Engine& engine);
std::vector<api::Problem> plan_problems_of(const api::ObjectName& service, const Engine& engine);

/// Few, but in a folder: of allocation, health ports, schedulers, probes.
std::vector<api::Problem> other_problems(const Engine& engine);

}  // namespace proxy
