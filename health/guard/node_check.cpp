#include "health/guard/node_check.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace health {
namespace {

constexpr std::size_t most_open = 64;  // more of them say no more

}  // namespace

NodeCheck::NodeCheck(NodeCheckRules rules, Time now, double jitter)
    : rules_(rules),
      start_(now +
             std::chrono::milliseconds(static_cast<std::int64_t>(jitter * static_cast<double>(rules.period.count())))) {
}

/// Both are asked fast from the moment on at which the first one is late; unless it has never answered.
Time NodeCheck::due(Path path) const {
    const Line& one = line(path);
    if (!one.asked)
        return start_;
    const bool often = one.answered ? path == Path::first : one.tries < rules_.tries;
    const Time usual = *one.asked + (often || life_ == NodeLife::dead ? rules_.period : rules_.rarely);
    const auto& open = line(Path::first).open;
    if (open.empty() || !line(Path::first).answered || life_ == NodeLife::dead)
        return usual;
    return std::min(usual, std::max(*one.asked + rules_.fast, open.front() + rules_.patience));
}

std::vector<NodeCheck::Path> NodeCheck::ask(Time now) {
    std::vector<Path> paths;
    for (const Path path : {Path::first, Path::second})
        if (now >= due(path))
            paths.push_back(path);
    for (const Path path : paths) {
        Line& one = line(path);
        one.asked = now;
        one.tries += one.answered ? 0 : 1;
        if (one.open.size() == most_open)  // the first one says since when
            one.open.erase(one.open.begin() + 1);
        one.open.push_back(now);
    }
    return paths;
}

void NodeCheck::answered(Path path, Time asked) {
    Line& one = line(path);
    if (one.answered && asked <= *one.answered)
        return;
    one.answered = asked;
    ++one.in_a_row;
    while (!one.open.empty() && one.open.front() <= asked)
        one.open.pop_front();
}

void NodeCheck::not_asked(Path path, Time asked) {
    std::erase(line(path).open, asked);
}

bool NodeCheck::is_late(const Line& line, Time now) const {
    return !line.open.empty() && now - line.open.front() >= rules_.patience;
}

bool NodeCheck::is_silent(const Line& line, Time now, std::chrono::milliseconds time) const {
    return line.answered && line.open.size() >= rules_.samples && now - line.open.front() >= time;
}

NodeLife NodeCheck::next_life(Time now) const {
    const Line& first = line(Path::first);
    const Line& second = line(Path::second);
    if (life_ == NodeLife::dead)
        return first.in_a_row >= rules_.returns ? NodeLife::alive : NodeLife::dead;
    if (!first.answered)
        return NodeLife::unknown;
    if (!is_silent(first, now, rules_.suspect))
        return NodeLife::alive;
    if (second.answered && *second.answered >= first.open.front())
        return NodeLife::alive;  // it is the path that is broken
    const bool both = is_silent(first, now, rules_.dead) && is_silent(second, now, rules_.dead);
    return both ? NodeLife::dead : NodeLife::suspect;
}

bool NodeCheck::review(Time now) {
    for (Line& line : lines_)
        if (is_late(line, now))
            line.in_a_row = 0;
    const NodeLife life = next_life(now);
    return std::exchange(life_, life) != life;
}

bool NodeCheck::is_stuck(Path path, Time now) const {
    const Line& one = line(path);
    const Line& other = line(path == Path::first ? Path::second : Path::first);
    if (one.open.size() < rules_.samples)
        return false;
    if (!one.answered)
        return now - one.open[rules_.samples - 1] >= rules_.patience;
    return now - one.open.front() >= rules_.stuck && other.answered && *other.answered > one.open.front();
}

void NodeCheck::restart(Path path) {
    Line& one = line(path);
    one.open.clear();
    one.answered.reset();
    one.in_a_row = 0;
}

std::optional<Time> NodeCheck::silent_since() const {
    const auto& open = line(Path::first).open;
    const bool silent = life_ == NodeLife::suspect || life_ == NodeLife::dead;
    return silent && !open.empty() ? std::optional(open.front()) : std::nullopt;
}

std::string NodeCheck::why(Time now) const {
    const Line& first = line(Path::first);
    if (life_ != NodeLife::suspect && life_ != NodeLife::dead)
        return "";
    if (first.open.empty())
        return "it answers again";
    char text[64];
    std::snprintf(text, sizeof(text), "no answer for %.1f s (%zu questions)",
                  std::chrono::duration<double>(now - first.open.front()).count(), first.open.size());
    return text;
}

}  // namespace health
