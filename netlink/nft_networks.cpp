#include "netlink/nft_networks.hpp"

#include <algorithm>
#include <utility>

namespace netlink::nft {
namespace {

Bytes bytes_of(const base::Prefix& prefix) {
    return {prefix.address.bytes().begin(), prefix.address.bytes().end()};
}

/// The key behind the last one of the prefix; empty when there is none.
Bytes behind(const base::Prefix& prefix) {
    Bytes next = bytes_of(prefix);
    if (prefix.length == 0)
        return {};
    auto at = static_cast<std::size_t>(prefix.length - 1) / 8;
    unsigned carry = 1U << (7 - (prefix.length - 1) % 8);
    for (;; --at) {
        carry += next[at];
        next[at] = static_cast<std::uint8_t>(carry);
        carry >>= 8;
        if (carry == 0)
            return next;
        if (at == 0)
            return {};
    }
}

}  // namespace

Bytes mask_of(int length, std::size_t bytes) {
    Bytes mask(bytes);
    for (std::size_t i = 0; i < bytes; ++i) {
        const int bits = std::clamp(length - static_cast<int>(i) * 8, 0, 8);
        mask[i] = static_cast<std::uint8_t>(0xff00U >> bits);
    }
    return mask;
}

std::string text_of_address(const Bytes& address) {
    return base::Address({address.data(), address.size()}).to_string();
}

std::vector<AnonymousSet::Entry> intervals_of(const std::vector<base::Prefix>& networks) {
    std::vector<std::pair<Bytes, Bytes>> all;  // from, behind (empty: to the end)
    for (const base::Prefix& network : networks)
        all.emplace_back(bytes_of(network), behind(network));
    std::sort(all.begin(), all.end());
    std::vector<std::pair<Bytes, Bytes>> whole;
    for (auto& interval : all) {
        if (whole.empty() || (!whole.back().second.empty() && whole.back().second < interval.first))
            whole.push_back(std::move(interval));
        else if (!whole.back().second.empty() && (interval.second.empty() || whole.back().second < interval.second))
            whole.back().second = std::move(interval.second);
    }
    std::vector<AnonymousSet::Entry> entries;
    const Bytes zero(whole.at(0).first.size());
    if (whole.front().first != zero)
        entries.push_back({zero, true, std::nullopt});
    for (auto& [from, end] : whole) {
        entries.push_back({std::move(from), false, std::nullopt});
        if (!end.empty())
            entries.push_back({std::move(end), true, std::nullopt});
    }
    return entries;
}

}  // namespace netlink::nft
