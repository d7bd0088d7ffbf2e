#include "proxy/plan/plan_problems.hpp"

#include <algorithm>
#include <utility>

namespace proxy {

void PlanProblems::put(const api::ObjectName& service, Texts problems) {
    const auto found = problems_.find(service);
    if (found == problems_.end() ? problems.empty() : found->second == problems)
        return;
    before_.try_emplace(service, found == problems_.end() ? Texts{} : found->second);
    if (!problems.empty())
        problems_[service] = std::move(problems);
    else
        problems_.erase(found);
}

std::size_t PlanProblems::count() const {
    std::size_t count = 0;
    for (const auto& [service, texts] : problems_)
        count += texts.size();
    return count;
}

const PlanProblems::Texts& PlanProblems::of(const api::ObjectName& service) const {
    static const Texts none;
    const auto found = problems_.find(service);
    return found == problems_.end() ? none : found->second;
}

std::map<api::ObjectName, PlanProblems::Texts> PlanProblems::exchange_changed() {
    std::map<api::ObjectName, Texts> changed;
    for (const auto& entry : std::exchange(before_, {})) {
        const Texts& before = entry.second;
        const Texts& now = of(entry.first);
        if (now == before)
            continue;
        Texts& fresh = changed[entry.first];
        std::copy_if(now.begin(), now.end(), std::back_inserter(fresh), [&](const std::string& text) {
            return std::find(before.begin(), before.end(), text) == before.end();
        });
    }
    return changed;
}

}  // namespace proxy
