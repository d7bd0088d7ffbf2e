#include "proxy/plan/source_ranges.hpp"

#include <algorithm>
#include <iterator>

#include "base/prefix.hpp"

namespace proxy {
namespace {

/// The `part`th of the equal parts of `network` whose prefixes have this length.
base::Address part_of(const base::Prefix& network, int length, unsigned part) {
    const int unused = network.address.bits() - length;  // bits behind the part's number, which is in one byte
    const auto old = network.address.bytes();
    std::vector<std::uint8_t> bytes(old.begin(), old.end());
    bytes[bytes.size() - 1 - static_cast<std::size_t>(unused / 8)] |= static_cast<std::uint8_t>(part << (unused % 8));
    return base::Address(bytes);
}

/// The same addresses, by prefixes of a length that there is a set for.
void split(const base::Prefix& network, std::vector<AllowedSources::Network>& parts) {
    constexpr int step = netlink::source_length_step;
    const int length = (network.length + step - 1) / step * step;
    for (unsigned part = 0; part < 1U << (length - network.length); ++part)
        parts.push_back(std::make_shared<base::Prefix>(part_of(network, length, part), length));
}

}  // namespace

AllowedSources::AllowedSources(const std::vector<base::Prefix>& ranges, bool ipv6,
                               const std::set<api::Address>& own_addresses) {
    std::vector<base::Prefix> allowed;
    for (const base::Prefix& network : ranges) {
        if (network.address.is_v6() != ipv6)
            continue;
        if (network.length == 0)
            return;
        allowed.push_back(network);
    }
    // Networks are inside each other or apart: of those that begin together the widest comes first.
    std::sort(allowed.begin(), allowed.end());
    for (const base::Prefix& network : allowed)
        if (widest_.empty() || !contains(widest_.back(), network.address)) {
            widest_.push_back(network);
            split(network, networks_);
        }
    has_own_ = std::any_of(own_addresses.begin(), own_addresses.end(), [this](const auto& own) { return has(own); });
}

bool AllowedSources::has(const api::Address& address) const {
    const auto behind = std::upper_bound(
        widest_.begin(), widest_.end(), address,
        [](const base::Address& wanted, const base::Prefix& network) { return wanted < network.address; });
    return behind != widest_.begin() && contains(*std::prev(behind), address);
}

AllowedSources::Network AllowedSources::also(const api::Address& vip) const {
    if (!has_own_ || has(vip))
        return nullptr;
    return std::make_shared<base::Prefix>(vip, vip.bits());
}

bool only_other_family(const std::vector<base::Prefix>& ranges, bool ipv6) {
    return !ranges.empty() && std::none_of(ranges.begin(), ranges.end(), [&](const base::Prefix& network) {
        return network.address.is_v6() == ipv6;
    });
}

}  // namespace proxy
