#include "proxy/controller/address_pool.hpp"

#include <algorithm>
#include <limits>

namespace proxy {
namespace {

bool has(const std::vector<std::string>& values, const std::string& value) {
    return std::find(values.begin(), values.end(), value) != values.end();
}

bool holds(const LabelSelector::Requirement& requirement, const api::Labels& labels) {
    const auto label = labels.find(requirement.key);
    const bool there = label != labels.end();
    switch (requirement.how) {
        case LabelSelector::Operator::in:
            return there && has(requirement.values, label->second);
        case LabelSelector::Operator::not_in:
            return !there || !has(requirement.values, label->second);
        case LabelSelector::Operator::exists:
            return there;
        case LabelSelector::Operator::does_not_exist:
            return !there;
    }
    return false;
}

}  // namespace

bool LabelSelector::matches(const api::Labels& labels) const {
    return std::all_of(requirements.begin(), requirements.end(),
                       [&](const Requirement& requirement) { return holds(requirement, labels); });
}

bool AddressPool::contains(const base::Address& address) const {
    return std::any_of(ranges.begin(), ranges.end(),
                       [&](const AddressRange& range) { return range.contains(address); });
}

bool AddressPool::has_family(api::Family family) const {
    return std::any_of(ranges.begin(), ranges.end(),
                       [&](const AddressRange& range) { return api::family_of(range.first) == family; });
}

bool AddressPool::is_for(const api::BalancedService& service) const {
    if (!namespaces.empty() && !has(namespaces, service.name.space))
        return false;
    return service_selectors.empty() ||
           std::any_of(service_selectors.begin(), service_selectors.end(),
                       [&](const LabelSelector& selector) { return selector.matches(service.labels); });
}

std::uint64_t AddressPool::size(api::Family family) const {
    constexpr std::uint64_t most = std::uint64_t{1} << 32U;
    std::uint64_t sum = 0;
    for (const AddressRange& range : ranges)
        if (api::family_of(range.first) == family)
            sum = std::min(most, sum + count_of(range, avoid_buggy_ips));
    return sum;
}

bool comes_before(const AddressPool& a, const AddressPool& b) {
    const auto rank = [](const AddressPool& pool) {
        return pool.priority == 0 ? std::numeric_limits<int>::max() : pool.priority;
    };
    return rank(a) != rank(b) ? rank(a) < rank(b) : a.name < b.name;
}

}  // namespace proxy
