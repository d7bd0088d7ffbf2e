#include "base/prefix.hpp"

#include <algorithm>
#include <array>

#include "base/numbers.hpp"

namespace base {
namespace {

bool same_bits(const Address& a, const Address& b, int count) {
    const auto whole = static_cast<std::size_t>(count / 8);
    if (!std::equal(a.padded().begin(), a.padded().begin() + whole, b.padded().begin()))
        return false;
    const int rest = count % 8;
    if (rest == 0)
        return true;
    const auto mask = static_cast<unsigned char>(0xff << (8 - rest));
    return (a.padded()[whole] & mask) == (b.padded()[whole] & mask);
}

}  // namespace

std::optional<Prefix> parse_network(std::string_view text) {
    const auto slash = text.find('/');
    if (slash == std::string_view::npos)
        return std::nullopt;
    const auto address = parse_address(text.substr(0, slash));
    const auto length = parse_number<unsigned>(text.substr(slash + 1));  // without a sign
    if (!address || !length || *length > static_cast<unsigned>(address->bits()))
        return std::nullopt;
    return network_of(*address, static_cast<int>(*length));
}

std::optional<Prefix> parse_prefix(std::string_view text) {
    const auto network = parse_network(text);
    const bool clear = network && parse_address(text.substr(0, text.find('/'))) == network->address;
    return clear ? network : std::nullopt;
}

Prefix network_of(const Address& address, int length) {
    auto bytes = address.padded();
    for (int bit = length; bit < address.bits(); ++bit)
        bytes[static_cast<std::size_t>(bit / 8)] &= static_cast<unsigned char>(~(0x80 >> (bit % 8)));
    return {Address(std::span(bytes).first(address.bytes().size())), length};
}

std::string to_string(const Prefix& prefix) {
    return prefix.address.to_string() + "/" + std::to_string(prefix.length);
}

bool contains(const Prefix& prefix, const Address& address) {
    return prefix.address.is_v6() == address.is_v6() && same_bits(prefix.address, address, prefix.length);
}

bool overlap(const Prefix& a, const Prefix& b) {
    return a.address.is_v6() == b.address.is_v6() && same_bits(a.address, b.address, std::min(a.length, b.length));
}

bool is_private(const Prefix& prefix) {
    static const std::array<Prefix, 5> spaces = {*parse_prefix("10.0.0.0/8"), *parse_prefix("172.16.0.0/12"),
                                                 *parse_prefix("192.168.0.0/16"), *parse_prefix("100.64.0.0/10"),
                                                 *parse_prefix("fc00::/7")};
    return std::any_of(spaces.begin(), spaces.end(), [&](const Prefix& space) {
        return prefix.length >= space.length && contains(space, prefix.address);
    });
}

std::uint64_t size_of(const Prefix& prefix) {
    return std::uint64_t{1} << std::min(prefix.address.bits() - prefix.length, 32);
}

Address address_at(const Prefix& prefix, std::uint64_t offset) {
    const std::size_t size = prefix.address.bytes().size();
    auto bytes = prefix.address.padded();
    for (std::size_t i = size; i-- > 0 && offset != 0;) {
        offset += bytes[i];
        bytes[i] = static_cast<unsigned char>(offset & 0xff);
        offset >>= 8;
    }
    return Address(std::span(bytes).first(size));
}

}  // namespace base
