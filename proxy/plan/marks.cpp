#include "proxy/plan/marks.hpp"

#include <algorithm>

namespace proxy {

bool Marks::is_free(std::uint32_t mark) const {
    return (mark & range_.mask) == range_.value && mark != range_.value && !taken_.contains(mark);
}

bool Marks::has_share(const api::ObjectName& service) const {
    const std::size_t all = static_cast<std::uint32_t>(~range_.mask);
    const auto count = counts_.find(service);
    return count == counts_.end() || count->second < ordinary || taken_.size() < all - all / 4;
}

std::optional<std::uint32_t> Marks::allocate(const MarkUse& use, const netlink::Element& carrier,
                                             const Mirror& kernel) {
    if (const auto known = marks_.find(use); known != marks_.end())
        return known->second;
    if (!has_share(use.service))
        return std::nullopt;
    std::uint32_t mark = kernel.mark(carrier).value_or(0);
    if (!is_free(mark)) {
        for (auto taken = taken_.lower_bound(lowest_); taken != taken_.end() && *taken == lowest_; ++taken)
            ++lowest_;
        mark = static_cast<std::uint32_t>(lowest_);
    }
    if (!is_free(mark))
        return std::nullopt;
    taken_.insert(mark);
    ++counts_[use.service];
    marks_.emplace(use, mark);
    return mark;
}

std::vector<std::pair<MarkUse, std::uint32_t>> Marks::of(const api::ObjectName& service) const {
    std::vector<std::pair<MarkUse, std::uint32_t>> uses;
    for (auto mark = marks_.lower_bound(MarkUse{service}); mark != marks_.end() && mark->first.service == service;
         ++mark)
        uses.emplace_back(*mark);
    return uses;
}

void Marks::keep(const api::ObjectName& service, const std::set<MarkUse>& used) {
    for (auto mark = marks_.lower_bound(MarkUse{service}); mark != marks_.end() && mark->first.service == service;) {
        if (used.contains(mark->first)) {
            ++mark;
            continue;
        }
        taken_.erase(mark->second);
        lowest_ = std::min<std::uint64_t>(lowest_, mark->second);
        if (const auto count = counts_.find(service); --count->second == 0)
            counts_.erase(count);
        mark = marks_.erase(mark);
    }
}

}  // namespace proxy
