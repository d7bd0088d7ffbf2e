#include "health/guard/group.hpp"

#include <algorithm>
#include <utility>

namespace health {
namespace {

struct Counts {
    std::size_t ready = 0;
    std::size_t out = 0;
    std::size_t in() const { return ready - out; }
};

Counts count(std::span<const Member> members) {
    Counts counts;
    for (const Member& member : members) {
        counts.ready += member.ready ? 1 : 0;
        counts.out += member.ready && member.out_since ? 1 : 0;
    }
    return counts;
}

PanicState next_panic(const Counts& counts, const GroupRules& rules, PanicState state, Time now) {
    if (counts.in() * 100 < rules.panic_percent * counts.ready)
        return {true, std::nullopt};
    if (!state.panics || counts.out == 0)
        return {};
    if (counts.in() * 100 < rules.calm_percent * counts.ready)
        return {true, std::nullopt};
    if (!state.calm_since)
        state.calm_since = now;
    return now - *state.calm_since >= rules.calm ? PanicState{} : state;
}

/// Those that have been out for longest stay out.
void keep_within_budget(std::span<const Member> members, std::size_t most, std::vector<MemberFate>& fates) {
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < members.size(); ++i)
        if (fates[i] == MemberFate::out)
            out.push_back(i);
    std::sort(out.begin(), out.end(), [&](std::size_t a, std::size_t b) {
        return std::pair(members[a].out_since, a) < std::pair(members[b].out_since, b);
    });
    for (std::size_t i = most; i < out.size(); ++i)
        fates[out[i]] = MemberFate::kept_budget;
}

bool may_be_retained(const Member& member) {
    return !member.ready && member.not_ready_since && member.passes && member.node_unknown && !member.out_since;
}

/// Keeps those in of whom so many became not ready at once that the API's view of them is in doubt.
void retain(std::span<const Member> members, const GroupRules& rules, Time now, GroupDecision& decision) {
    const auto at_once = [&](Time first) {
        return static_cast<std::size_t>(std::count_if(members.begin(), members.end(), [&](const Member& member) {
            return may_be_retained(member) && *member.not_ready_since >= first &&
                   *member.not_ready_since <= first + rules.mass_window;
        }));
    };
    for (const Member& first : members) {
        if (!may_be_retained(first) || at_once(*first.not_ready_since) * 100 <= rules.mass_percent * members.size())
            continue;
        for (std::size_t i = 0; i < members.size(); ++i) {
            const Member& member = members[i];
            if (!may_be_retained(member) || *member.not_ready_since < *first.not_ready_since ||
                *member.not_ready_since > *first.not_ready_since + rules.mass_window)
                continue;
            const Time until = *member.not_ready_since + rules.retain;
            if (now >= until)
                continue;
            decision.fates[i] = MemberFate::retained;
            decision.again = std::min(until, decision.again.value_or(until));
        }
    }
}

}  // namespace

std::string_view word(MemberFate fate) {
    switch (fate) {
        case MemberFate::in:
            return "in";
        case MemberFate::not_ready:
            return "not ready, says the API";
        case MemberFate::out:
            return "out, though the API says ready";
        case MemberFate::kept_last:
            return "kept: it is the last one";
        case MemberFate::kept_panic:
            return "kept: most of them fail";
        case MemberFate::kept_budget:
            return "kept: enough others are out";
        case MemberFate::retained:
            break;
    }
    return "kept: the API calls most of them not ready, and knows nothing of their nodes";
}

GroupDecision decide(std::span<const Member> members, const GroupRules& rules, PanicState before, Time now) {
    const Counts counts = count(members);
    GroupDecision decision{{}, next_panic(counts, rules, before, now), std::nullopt};
    const bool last = counts.ready == 1 || counts.in() == 0;
    if (counts.ready == 1)  // one that is alone is kept for that
        decision.panic = {};
    const MemberFate bad = decision.panic.panics ? MemberFate::kept_panic
                           : last                ? MemberFate::kept_last
                                                 : MemberFate::out;
    decision.fates.reserve(members.size());
    for (const Member& member : members)
        decision.fates.push_back(!member.ready ? MemberFate::not_ready : member.out_since ? bad : MemberFate::in);
    if (bad == MemberFate::out)
        keep_within_budget(members, std::max<std::size_t>(counts.ready * rules.most_out_percent / 100, 1),
                           decision.fates);
    if (decision.panic.calm_since)
        decision.again = *decision.panic.calm_since + rules.calm;
    if (rules.retain.count() > 0)
        retain(members, rules, now, decision);
    return decision;
}

}  // namespace health
