#include "proxy/source_ranges.hpp"

#include <algorithm>

#include "proxy/prefix.hpp"

namespace proxy {
namespace {

using netlink::SourceNetwork;

bool contains(const SourceNetwork& network, const Address& address) {
    return contains(Prefix{network.address.to_asio(), network.length}, address);
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
void split(const SourceNetwork& network, std::vector<SourceNetwork>& parts) {
    constexpr int step = netlink::source_length_step;
    const int length = (network.length + step - 1) / step * step;
    for (unsigned part = 0; part < 1U << (length - network.length); ++part)
        parts.push_back({part_of(network, length, part), length});
}

}  // namespace

std::optional<std::vector<SourceNetwork>> allowed_sources(const std::vector<api::Network>& ranges, const Address& vip,
                                                          const std::set<Address>& own_addresses) {
    std::vector<SourceNetwork> allowed;
    for (const api::Network& network : ranges) {
        if (network.address.is_v6() != vip.is_v6())
            continue;
        if (network.length == 0)
            return std::nullopt;
        allowed.push_back({network.address, network.length});
    }
    if (allowed.empty())
        return std::nullopt;
    const auto has = [&](const Address& address) {
        return std::any_of(allowed.begin(), allowed.end(),
                           [&](const auto& network) { return contains(network, address); });
    };
    if (!has(vip) && std::any_of(own_addresses.begin(), own_addresses.end(), has))
        allowed.push_back({vip, netlink::bits_of(vip)});
    // Networks are inside each other or apart: of those that begin together the widest comes first.
    std::sort(allowed.begin(), allowed.end(), [](const SourceNetwork& a, const SourceNetwork& b) {
        return a.address != b.address ? a.address < b.address : a.length < b.length;
    });
    std::vector<SourceNetwork> parts;
    const SourceNetwork* widest = nullptr;
    for (const SourceNetwork& network : allowed) {
        if (widest != nullptr && contains(*widest, network.address.to_asio()))
            continue;
        widest = &network;
        split(network, parts);
    }
    return parts;
}

bool only_other_family(const std::vector<api::Network>& ranges, const Address& vip) {
    return !ranges.empty() && std::none_of(ranges.begin(), ranges.end(), [&](const api::Network& network) {
        return network.address.is_v6() == vip.is_v6();
    });
}

}  // namespace proxy
