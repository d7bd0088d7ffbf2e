#include "proxy/controller/address_range.hpp"

#include <algorithm>
#include <array>
#include <boost/algorithm/string/trim.hpp>

#include "base/prefix.hpp"

namespace proxy {
namespace {

constexpr std::uint64_t most_counted = std::uint64_t{1} << 32U;

/// The last address of a network: its host bits are ones.
base::Address last_of(const base::Prefix& prefix) {
    std::array<std::uint8_t, 16> bytes = prefix.address.padded();
    for (int bit = prefix.length; bit < prefix.address.bits(); ++bit)
        bytes[static_cast<std::size_t>(bit / 8)] |= static_cast<std::uint8_t>(0x80U >> static_cast<unsigned>(bit % 8));
    return base::Address(std::span(bytes).first(prefix.address.is_v6() ? 16 : 4));
}

std::uint64_t half_of(const base::Address& address, std::size_t at) {
    return boost::endian::load_big_u64(address.padded().data() + at);
}

/// How many numbers of 0 to `number` end in .0 or .255.
std::uint64_t confusing_up_to(std::uint64_t number) {
    return number / 256 + 1 + (number + 1) / 256;
}

std::uint64_t count_v4(const AddressRange& range, bool avoid) {
    const std::uint64_t first = range.first.number();
    const std::uint64_t last = range.last.number();
    const std::uint64_t all = last - first + 1;
    if (!avoid)
        return all;
    return all - (confusing_up_to(last) - (first == 0 ? 0 : confusing_up_to(first - 1)));
}

}  // namespace

std::optional<AddressRange> parse_address_range(std::string_view text) {
    if (const auto prefix = base::parse_prefix(text))
        return AddressRange{prefix->address, last_of(*prefix)};
    const auto dash = text.find('-');
    const auto first = base::parse_address(boost::algorithm::trim_copy(std::string(text.substr(0, dash))));
    if (!first || dash == std::string_view::npos)
        return first ? std::optional(AddressRange{*first, *first}) : std::nullopt;
    const auto last = base::parse_address(boost::algorithm::trim_copy(std::string(text.substr(dash + 1))));
    if (!last || last->is_v6() != first->is_v6() || *last < *first)
        return std::nullopt;
    return AddressRange{*first, *last};
}

std::string to_string(const AddressRange& range) {
    const std::string first = range.first.to_string();
    return range.first == range.last ? first : first + "-" + range.last.to_string();
}

bool overlap(const AddressRange& a, const AddressRange& b) {
    return a.contains(b.first) || b.contains(a.first);
}

std::optional<base::Address> next_address(const base::Address& address) {
    std::array<std::uint8_t, 16> bytes = address.padded();
    for (std::size_t at = address.is_v6() ? 16 : 4; at-- > 0;)
        if (++bytes[at] != 0)
            return base::Address(std::span(bytes).first(address.is_v6() ? 16 : 4));
    return std::nullopt;
}

bool confuses_old_hosts(const base::Address& address) {
    return address.is_v4() && (address.bytes()[3] == 0 || address.bytes()[3] == 255);
}

std::uint64_t count_of(const AddressRange& range, bool avoid) {
    if (range.first.is_v4())
        return count_v4(range, avoid);
    if (half_of(range.first, 0) != half_of(range.last, 0))
        return most_counted;
    return std::min(most_counted - 1, half_of(range.last, 8) - half_of(range.first, 8)) + 1;
}

}  // namespace proxy
