#include "netlink/nft_networks.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <charconv>
#include <stdexcept>
#include <utility>

#include "netlink/address.hpp"

namespace netlink::nft {
namespace {

/// The key behind the last one of the prefix; empty when there is none.
Bytes behind(const Prefix& prefix) {
    Bytes next = prefix.address;
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

Prefix prefix_of(const std::string& network) {
    const auto slash = network.find('/');
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address(network.substr(0, slash), error);
    const int bits = address.is_v6() ? 128 : 32;
    int length = bits;
    if (slash != std::string::npos) {
        const char* end = network.data() + network.size();
        const auto [stop, problem] = std::from_chars(network.data() + slash + 1, end, length);
        if (problem != std::errc() || stop != end)
            length = -1;
    }
    if (error || length < 0 || length > bits)
        throw std::invalid_argument("no network: " + network);
    const Address plain(address);
    Prefix prefix{{plain.bytes().begin(), plain.bytes().end()}, length};
    const Bytes mask = mask_of(length, prefix.address.size());
    for (std::size_t i = 0; i < mask.size(); ++i)
        prefix.address[i] &= mask[i];
    return prefix;
}

Bytes mask_of(int length, std::size_t bytes) {
    Bytes mask(bytes);
    for (std::size_t i = 0; i < bytes; ++i) {
        const int bits = std::clamp(length - static_cast<int>(i) * 8, 0, 8);
        mask[i] = static_cast<std::uint8_t>(0xff00U >> bits);
    }
    return mask;
}

std::string text_of_address(const Bytes& address) {
    return Address({address.data(), address.size()}).to_string();
}

std::vector<AnonymousSet::Entry> intervals_of(const std::vector<std::string>& networks) {
    std::vector<std::pair<Bytes, Bytes>> all;  // from, behind (empty: to the end)
    for (const std::string& network : networks) {
        const Prefix prefix = prefix_of(network);
        all.emplace_back(prefix.address, behind(prefix));
    }
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
