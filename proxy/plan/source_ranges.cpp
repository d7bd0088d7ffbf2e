#include "proxy/plan/source_ranges.hpp"

#include <algorithm>
#include <iterator>

#include "base/prefix.hpp"

namespace proxy {
namespace {

using netlink::SourceNetwork;

bool contains(const SourceNetwork& network, const api::Address& address) {
    return contains(base::Prefix{network.address.to_asio(), network.length}, address);
}

/// The `part`th of the equal parts of `network` whose prefixes have this length.
netlink::Address part_of(const SourceNetwork& network, int length, unsigned part) {
    const int unused =
        netlink::bits_of(network.address) - length;  // bits behind the part's number, which is in one byte
    const auto old = network.address.bytes();
    std::vector<std::uint8_t> bytes(old.begin(), old.end());
    bytes[bytes.size() - 1 - static_cast<std::size_t>(unused / 8)] |= static_cast<std::uint8_t>(part << (unused % 8));
    return netlink::Address(bytes);
}

/// The same addresses, by prefixes of a length that there is a set for.
void split(const SourceNetwork& network, std::vector<AllowedSources::Network>& parts) {
    constexpr int step = netlink::source_length_step;
    const int length = (network.length + step - 1) / step * step;
    for (unsigned part = 0; part < 1U << (length - network.length); ++part)
        parts.push_back(std::make_shared<SourceNetwork>(part_of(network, length, part), length));
}

}  // namespace

AllowedSources::AllowedSources(const std::vector<api::Network>& ranges, bool ipv6,
                               const std::set<api::Address>& own_addresses) {
    std::vector<SourceNetwork> allowed;
    for (const api::Network& network : ranges) {
        if (network.address.is_v6() != ipv6)
            continue;
        if (network.length == 0)
            return;
        allowed.push_back({network.address, network.length});
    }
    // Networks are inside each other or apart: of those that begin together the widest comes first.
    std::sort(allowed.begin(), allowed.end(), [](const SourceNetwork& a, const SourceNetwork& b) {
        return a.address != b.address ? a.address < b.address : a.length < b.length;
    });
    for (const SourceNetwork& network : allowed)
        if (widest_.empty() || !contains(widest_.back(), network.address.to_asio())) {
            widest_.push_back(network);
            split(network, networks_);
        }
    has_own_ = std::any_of(own_addresses.begin(), own_addresses.end(), [this](const auto& own) { return has(own); });
}

bool AllowedSources::has(const api::Address& address) const {
    const auto behind = std::upper_bound(
        widest_.begin(), widest_.end(), netlink::Address(address),
        [](const netlink::Address& wanted, const SourceNetwork& network) { return wanted < network.address; });
    return behind != widest_.begin() && contains(*std::prev(behind), address);
}

AllowedSources::Network AllowedSources::also(const api::Address& vip) const {
    if (!has_own_ || has(vip))
        return nullptr;
    return std::make_shared<SourceNetwork>(vip, netlink::bits_of(vip));
}

bool only_other_family(const std::vector<api::Network>& ranges, bool ipv6) {
    return !ranges.empty() && std::none_of(ranges.begin(), ranges.end(), [&](const api::Network& network) {
        return network.address.is_v6() == ipv6;
    });
}

}  // namespace proxy
