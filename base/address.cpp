#include "base/address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <stdexcept>

namespace base {

Address::Address(std::span<const std::uint8_t> bytes) : v6_(bytes.size() == 16) {
    std::copy(bytes.begin(), bytes.end(), bytes_.begin());
}

Address Address::v4(std::uint32_t number) {
    Address address;
    boost::endian::store_big_u32(address.bytes_.data(), number);
    return address;
}

Address Address::any_v6() {
    Address address;
    address.v6_ = true;
    return address;
}

bool Address::is_loopback() const {
    if (!v6_)
        return bytes_[0] == 127;
    return half(0) == 0 && half(8) == 1;
}

bool Address::is_link_local() const {
    if (v6_)
        return bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
    return bytes_[0] == 169 && bytes_[1] == 254;
}

bool Address::is_v4_mapped() const {
    return v6_ && half(0) == 0 && half(8) >> 32 == 0xffff;
}

std::string Address::to_string() const {
    char text[INET6_ADDRSTRLEN] = {};
    ::inet_ntop(v6_ ? AF_INET6 : AF_INET, bytes_.data(), text, sizeof(text));
    return text;
}

std::optional<Address> parse_address(std::string_view text) {
    // inet_pton reads up to a zero byte.
    if (text.size() >= INET6_ADDRSTRLEN || text.find('\0') != std::string_view::npos)
        return std::nullopt;
    const bool v6 = text.find(':') != std::string_view::npos;
    std::array<std::uint8_t, 16> bytes{};
    if (::inet_pton(v6 ? AF_INET6 : AF_INET, std::string(text).c_str(), bytes.data()) != 1)
        return std::nullopt;
    return Address(std::span(bytes).first(v6 ? 16 : 4));
}

Address make_address(std::string_view text) {
    if (const auto address = parse_address(text))
        return *address;
    throw std::invalid_argument("no IP address: " + std::string(text));
}

}  // namespace base
