#include "proxy/sync/problem_log.hpp"

#include <fmt/format.h>

namespace proxy {
namespace {

constexpr std::chrono::seconds count_pause{60};

}  // namespace

bool ProblemLog::may_say(Kind& kind, Time now) {
    if (kind.lines.has(now)) {
        kind.lines.spend();
        return true;
    }
    ++kind.uncounted;
    return false;
}

void ProblemLog::put(const std::string& kind_name, const std::string& key, const std::vector<api::Problem>& problems,
                     Time now) {
    const auto found = known_.find({kind_name, key});
    if (found == known_.end() && problems.empty())
        return;
    Kind& kind = kinds_[kind_name];
    Said before = found == known_.end() ? Said{} : std::move(found->second);
    Said after;
    for (const api::Problem& problem : problems) {
        std::string text = to_string(problem);
        if (after.contains(text))
            continue;
        const auto told = before.find(text);
        const bool said = told == before.end() ? may_say(kind, now) : told->second;
        if (told != before.end())
            before.erase(told);
        else if (said)
            lines_.push_back({problem.warning ? log::Level::warning : log::Level::error, text, false});
        after.emplace(std::move(text), said);
    }
    for (const auto& [text, said] : before)
        if (said && may_say(kind, now))
            lines_.push_back({log::Level::info, text, true});
    if (!after.empty())
        known_[{kind_name, key}] = std::move(after);
    else if (found != known_.end())
        known_.erase(found);
}

std::vector<ProblemLog::Line> ProblemLog::exchange_lines(Time now) {
    for (auto& [name, kind] : kinds_) {
        if (kind.uncounted == 0 || now < kind.count_at)
            continue;
        lines_.push_back(
            {log::Level::warning,
             fmt::format("{} more {} have come or gone, which are not logged one by one; `podferry status` "
                         "lists what there is",
                         kind.uncounted, name),
             false});
        kind.uncounted = 0;
        kind.count_at = now + count_pause;
    }
    return std::exchange(lines_, {});
}

}  // namespace proxy
