#include "proxy/source_ranges.hpp"

#include <algorithm>
#include <boost/asio/ip/network_v4.hpp>

namespace proxy {
namespace {

using api::Address;
using netlink::AddressRange;

/// The network's address with all bits behind the prefix set.
Address last_of(const api::Network& network) {
    if (network.address.is_v4())
        return boost::asio::ip::network_v4(network.address.to_v4(), static_cast<unsigned short>(network.length))
            .broadcast();
    auto bytes = network.address.to_v6().to_bytes();
    for (int bit = network.length; bit < 128; ++bit)
        bytes[static_cast<std::size_t>(bit / 8)] |= static_cast<unsigned char>(0x80U >> (bit % 8));
    return boost::asio::ip::address_v6(bytes);
}

bool contains(const AddressRange& range, const Address& address) {
    return range.first <= address && address <= range.last;
}

}  // namespace

std::optional<std::vector<AddressRange>> allowed_sources(const std::vector<api::Network>& ranges, const Address& vip,
                                                         const std::set<Address>& own_addresses) {
    std::vector<AddressRange> allowed;
    for (const api::Network& network : ranges) {
        if (network.address.is_v6() != vip.is_v6())
            continue;
        if (network.length == 0)
            return std::nullopt;
        allowed.push_back({network.address, last_of(network)});
    }
    if (allowed.empty())
        return std::nullopt;
    const auto has = [&](const Address& address) {
        return std::any_of(allowed.begin(), allowed.end(), [&](const auto& range) { return contains(range, address); });
    };
    if (!has(vip) && std::any_of(own_addresses.begin(), own_addresses.end(), has))
        allowed.push_back({vip, vip});
    // Networks are inside each other or apart: of those that begin together the widest comes first.
    std::sort(allowed.begin(), allowed.end(), [](const AddressRange& a, const AddressRange& b) {
        return a.first != b.first ? a.first < b.first : b.last < a.last;
    });
    std::vector<AddressRange> apart;
    for (const AddressRange& range : allowed)
        if (apart.empty() || !contains(apart.back(), range.first))
            apart.push_back(range);
    return apart;
}

bool only_other_family(const std::vector<api::Network>& ranges, const Address& vip) {
    return !ranges.empty() && std::none_of(ranges.begin(), ranges.end(), [&](const api::Network& network) {
        return network.address.is_v6() == vip.is_v6();
    });
}

}  // namespace proxy
