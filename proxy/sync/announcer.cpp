#include "proxy/sync/announcer.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "proxy/engine/engine_problems.hpp"
#include "proxy/log/log.hpp"

namespace proxy {

Announcer::Announcer(Engine& engine, std::string node_name, Post post, Write write)
    : engine_(engine), node_name_(std::move(node_name)), post_(std::move(post)), write_(std::move(write)) {}

void Announcer::write_to_log(const ProblemLog::Line& line) {
    if (line.resolved)
        log::info("resolved", {{"problem", line.text}});
    else
        log::write(line.level, line.text);
}

// ---- Events ------------------------------------------------------------------------------------------------------

void Announcer::post(const char* reason, const std::string& text, bool warning) {
    if (post_)
        post_({reason, text, warning, "Node", node_name_, "", node_name_});
}

void Announcer::post_of_service(const api::ObjectName& service, const char* reason, const std::string& text) {
    if (!post_)
        return;
    const auto found = engine_.store().services().find(service);
    const std::string uid = found == engine_.store().services().end() ? "" : found->uid;
    post_({reason, text, true, "Service", service.name, service.space, uid});
}

void Announcer::tell_start() {
    post("Starting", "podferry carries the Services of this node", false);
}

void Announcer::tell_of_node(const char* reason, const std::string& text) {
    post(reason, text, true);
}

bool Announcer::tell_plans(Time now) {
    const bool conflicts = tell_conflicts(now);
    return tell_plan_problems(now) || conflicts;
}

/// Only front ends whose conflicts have changed are looked at.
bool Announcer::tell_conflicts(Time now) {
    std::vector<Conflict> fresh;
    bool changed = false;
    for (const netlink::VirtualServer& server : engine_.desired().claims().exchange_changed()) {
        const std::vector<Conflict> present = engine_.desired().claims().conflicts_of(server);
        auto told = told_conflicts_.lower_bound(Conflict{server, {}, {}});
        while (told != told_conflicts_.end() && told->server == server) {
            const bool stays = std::binary_search(present.begin(), present.end(), *told);
            changed = changed || !stays;
            told = stays ? std::next(told) : told_conflicts_.erase(told);
        }
        std::vector<api::Problem> problems;
        for (const Conflict& conflict : present) {
            problems.push_back(problem_of(conflict, engine_));
            if (told_conflicts_.insert(conflict).second)
                fresh.push_back(conflict);
        }
        problem_log_.put("conflicts", netlink::to_string(server), problems, now);
    }
    for (const Conflict& conflict : fresh)
        post_of_service(conflict.service, "FrontEndConflict", to_string(conflict));
    return changed || !fresh.empty();
}

bool Announcer::tell_plan_problems(Time now) {
    const auto changed = engine_.planner().ledger().findings.problems().exchange_changed();
    for (const auto& [name, fresh] : changed) {
        problem_log_.put("problems of Services", api::to_string(name), plan_problems_of(name, engine_), now);
        for (const std::string& problem : fresh)
            post_of_service(name, "NotAsAsked", problem);
    }
    return !changed.empty();
}

void Announcer::tell_listen_failures(const std::vector<ListenFailure>& failures) {
    for (const ListenFailure& failure : failures) {
        const auto port = engine_.health_ports().find(failure.port);
        if (port && std::find(told_failures_.begin(), told_failures_.end(), failure) == told_failures_.end())
            post_of_service(port->service, ListenFailure::reason, failure.text);
    }
    told_failures_ = failures;
}

void Announcer::tell_read_only(const std::vector<std::string>& names) {
    if (const auto text = read_only_news_.news_of(names))
        post(ReadOnlyNews::reason, *text, true);
}

void Announcer::tell_listener(const std::string& setting, const char* reason, const std::string& problem) {
    if (problem.empty()) {
        listener_problems_.erase(setting);
        return;
    }
    listener_problems_[setting] = problem;
    post(reason, problem, true);
}

// ---- the log -----------------------------------------------------------------------------------------------------

bool Announcer::note_refusals(std::uint64_t version) {
    return std::exchange(told_refusals_, version) != version;
}

/// Those of conflicts and plans have been put where they changed.
void Announcer::log_problems(const std::vector<api::Problem>& of_node, Time now) {
    if (std::exchange(source_problems_changed_, false))
        problem_log_.put("problems of the source", "", engine_.intake().source_problems(), now);
    problem_log_.put("problems of objects", "", other_problems(engine_), now);
    problem_log_.put("problems of this node", "", of_node, now);
    for (const ProblemLog::Line& line : problem_log_.exchange_lines(now))
        write_(line);
}

}  // namespace proxy
