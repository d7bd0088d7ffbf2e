#include "base/prefix.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace base {
namespace {

using Bytes = std::array<unsigned char, 16>;

Bytes bytes_of(const Address& address) {
    Bytes bytes{};
    if (address.is_v6())
        return address.to_v6().to_bytes();
    const auto v4 = address.to_v4().to_bytes();
    std::copy(v4.begin(), v4.end(), bytes.begin());
    return bytes;
}

int bits_of(const Address& address) {
    return address.is_v6() ? 128 : 32;
}

bool same_bits(const Bytes& a, const Bytes& b, int count) {
    const auto whole = static_cast<std::size_t>(count / 8);
    if (!std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(whole), b.begin()))
        return false;
    const int rest = count % 8;
    if (rest == 0)
        return true;
    const auto mask = static_cast<unsigned char>(0xff << (8 - rest));
    return (a[whole] & mask) == (b[whole] & mask);
}

}  // namespace

std::optional<Prefix> parse_prefix(std::string_view text) {
    const auto slash = text.find('/');
    if (slash == std::string_view::npos)
        return std::nullopt;
    boost::system::error_code error;
    const Address base = boost::asio::ip::make_address(std::string(text.substr(0, slash)), error);
    if (error)
        return std::nullopt;
    int length = -1;
    const auto digits = text.substr(slash + 1);
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (code != std::errc{} || end != digits.data() + digits.size() || length < 0 || length > bits_of(base))
        return std::nullopt;
    if (network_of(base, length).base != base)
        return std::nullopt;
    return Prefix{base, length};
}

Prefix network_of(const Address& address, int length) {
    Bytes bytes = bytes_of(address);
    for (int bit = length; bit < bits_of(address); ++bit)
        bytes[static_cast<std::size_t>(bit / 8)] &= static_cast<unsigned char>(~(0x80 >> (bit % 8)));
    if (address.is_v6())
        return {boost::asio::ip::address_v6(bytes, address.to_v6().scope_id()), length};
    return {boost::asio::ip::address_v4({bytes[0], bytes[1], bytes[2], bytes[3]}), length};
}

std::string to_string(const Prefix& prefix) {
    return prefix.base.to_string() + "/" + std::to_string(prefix.length);
}

bool contains(const Prefix& prefix, const Address& address) {
    return prefix.base.is_v6() == address.is_v6() && same_bits(bytes_of(prefix.base), bytes_of(address), prefix.length);
}

bool overlap(const Prefix& a, const Prefix& b) {
    return a.base.is_v6() == b.base.is_v6() &&
           same_bits(bytes_of(a.base), bytes_of(b.base), std::min(a.length, b.length));
}

bool is_private(const Prefix& prefix) {
    static const std::array<Prefix, 5> spaces = {*parse_prefix("10.0.0.0/8"), *parse_prefix("172.16.0.0/12"),
                                                 *parse_prefix("192.168.0.0/16"), *parse_prefix("100.64.0.0/10"),
                                                 *parse_prefix("fc00::/7")};
    return std::any_of(spaces.begin(), spaces.end(), [&](const Prefix& space) {
        return prefix.length >= space.length && contains(space, prefix.base);
    });
}

std::uint64_t size_of(const Prefix& prefix) {
    const int host_bits = bits_of(prefix.base) - prefix.length;
    return std::uint64_t{1} << std::min(host_bits, 32);
}

Address address_at(const Prefix& prefix, std::uint64_t offset) {
    if (prefix.base.is_v4())
        return boost::asio::ip::address_v4(
            static_cast<std::uint32_t>(prefix.base.to_v4().to_uint() + static_cast<std::uint32_t>(offset)));
    auto bytes = prefix.base.to_v6().to_bytes();
    for (std::size_t i = 16; i-- > 8 && offset != 0;) {
        offset += bytes[i];
        bytes[i] = static_cast<unsigned char>(offset & 0xff);
        offset >>= 8;
    }
    return boost::asio::ip::address_v6(bytes);
}

}  // namespace base
