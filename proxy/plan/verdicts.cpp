#include "proxy/plan/verdicts.hpp"

namespace proxy {

PodVerdict Verdicts::of(const api::ObjectName& pod) const {
    const auto found = verdicts_.find(pod);
    return found == verdicts_.end() ? PodVerdict::not_probed : found->second;
}

bool Verdicts::put(const api::ObjectName& pod, PodVerdict verdict) {
    if (verdict == PodVerdict::ready || verdict == PodVerdict::failed)
        await_no_more(pod);
    if (of(pod) == verdict)
        return false;
    if (verdict == PodVerdict::not_probed)
        verdicts_.erase(pod);
    else
        verdicts_[pod] = verdict;
    return true;
}

void Verdicts::remove(const api::ObjectName& pod) {
    verdicts_.erase(pod);
    await_no_more(pod);
}

void Verdicts::await(const api::ObjectName& pod, const std::vector<api::Address>& addresses) {
    await_no_more(pod);
    auto& known = awaited_[pod];
    for (const api::Address& address : addresses) {
        known.emplace_back(address);
        ++addresses_[known.back()];
    }
}

void Verdicts::await_no_more(const api::ObjectName& pod) {
    const auto found = awaited_.find(pod);
    if (found == awaited_.end())
        return;
    for (const base::Address& address : found->second)
        if (const auto count = addresses_.find(address); --count->second == 0)
            addresses_.erase(count);
    awaited_.erase(found);
}

}  // namespace proxy
