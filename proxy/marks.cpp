#include "proxy/marks.hpp"

namespace proxy {

bool Marks::is_free(std::uint32_t mark) const {
    return (mark & range_.mask) == range_.value && mark != range_.value && !taken_.contains(mark);
}

std::optional<std::uint32_t> Marks::take(const MarkUse& use, const netlink::Element& carrier) {
    if (const auto known = marks_.find(use); known != marks_.end())
        return known->second;
    std::uint32_t mark = in_kernel_(carrier).value_or(0);
    if (!is_free(mark)) {
        mark = range_.value + 1;
        for (const std::uint32_t taken : taken_) {  // ascending
            if (taken != mark)
                break;
            ++mark;
        }
    }
    if (!is_free(mark))
        return std::nullopt;
    taken_.insert(mark);
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
        mark = marks_.erase(mark);
    }
}

}  // namespace proxy
