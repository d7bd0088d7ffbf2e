#include "proxy/edge/fate.hpp"

#include <algorithm>
#include <utility>

namespace proxy {
namespace {

/// One front end's.
class Judge {
public:
    Judge(const Balanced& balanced, const Knowledge& known, Time now) : balanced_(balanced), known_(known), now_(now) {}

    Fates judge(health::PanicState before) {
        fates_.panic = before;
        for (const Backend& backend : balanced_.backends)
            fates_.each.push_back(of(backend));
        guard();
        return std::move(fates_);
    }

private:
    const Found& found_of(const HealthCheck& check) const {
        static const Found nothing;
        const auto found = known_.checks.find(to_string(check));
        return found == known_.checks.end() ? nothing : found->second;
    }

    void decide_again(Time at) { fates_.again = std::min(at, fates_.again.value_or(at)); }

    /// The fate that it would have alone. Those that the guard has a word on are members of it.
    BackendFate of(const Backend& backend) {
        if (!backend.barred.empty())
            return {BackendState::barred, backend.barred};
        if (backend.weight <= 0)
            return {BackendState::drained, "its weight is 0"};
        if (backend.check) {
            const Found& found = found_of(*backend.check);
            switch (found.answer) {
                case Found::Answer::unknown:
                    return {BackendState::waiting, "its check has not answered yet"};
                case Found::Answer::silent:
                    return of_silent(*backend.check, found);
                case Found::Answer::says_no:
                    if (backend.check->speaks_for_endpoints)
                        return {BackendState::out, "no endpoint of the Service is there: " + found.why};
                    return guarded({BackendState::out, found.why}, found.since);
                case Found::Answer::refuses:
                    return guarded({BackendState::out, found.why}, found.since);
                case Found::Answer::passes:
                    break;
            }
        }
        members_.push_back({true, std::nullopt});
        places_.push_back(fates_.each.size());
        return {BackendState::in, ""};
    }

    BackendFate guarded(BackendFate fate, Time since) {
        members_.push_back({true, since});
        places_.push_back(fates_.each.size());
        return fate;
    }

    BackendFate of_silent(const HealthCheck& check, const Found& found) {
        if (found.has_passed && known_.disbelieved_since && found.since >= *known_.disbelieved_since)
            return {BackendState::kept, found.why + "; kept: nobody answers this edge, which may be cut off itself"};
        const Time dead = found.since + window_of(check.spec.timing);
        if (now_ >= dead)
            return {BackendState::dead, found.why};
        decide_again(dead);
        return {BackendState::silent, found.why};
    }

    void guard() {
        const SafetyRules& safety = balanced_.safety;
        if (safety.panic_percent == 0 && safety.most_out_percent >= 100) {
            fates_.panic = {};
            return;
        }
        health::GroupRules rules;
        rules.panic_percent = safety.panic_percent;
        rules.calm_percent = std::min<std::size_t>(safety.panic_percent + 10, 100);
        rules.most_out_percent = safety.most_out_percent;
        const auto decision = health::decide(members_, rules, fates_.panic, now_);
        fates_.panic = decision.panic;
        if (decision.again)
            decide_again(*decision.again);
        for (std::size_t i = 0; i < members_.size(); ++i)
            if (members_[i].out_since && health::is_in(decision.fates[i])) {
                BackendFate& fate = fates_.each[places_[i]];
                fate = {BackendState::kept, fate.reason + "; " + std::string(health::word(decision.fates[i]))};
            }
    }

    const Balanced& balanced_;
    const Knowledge& known_;
    Time now_;
    Fates fates_;
    std::vector<health::Member> members_;
    std::vector<std::size_t> places_;  // theirs, among the backends
};

}  // namespace

std::string_view word(Found::Answer answer) {
    static constexpr std::string_view words[] = {"unknown", "passes", "says_no", "refuses", "silent"};
    return words[static_cast<std::size_t>(answer)];
}

std::string_view word(BackendState state) {
    static constexpr std::string_view words[] = {"in", "kept", "drained", "barred", "waiting", "out", "silent", "dead"};
    return words[static_cast<std::size_t>(state)];
}

Fates fates_of(const Balanced& balanced, const Knowledge& known, health::PanicState before, Time now) {
    return Judge(balanced, known, now).judge(before);
}

}  // namespace proxy
