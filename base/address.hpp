// An IP address as a value: 17 bytes and quick to compare, where Boost.Asio's has 28, with a scope that no object of
// ours has. Tens of thousands of them are keys of ordered maps. Where a socket is opened, base/asio_address.hpp
// converts it.
#pragma once

#include <array>
#include <boost/endian/conversion.hpp>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace base {

class Address {
public:
    /// 0.0.0.0
    Address() = default;
    /// Takes 4 or 16 bytes in network order.
    explicit Address(std::span<const std::uint8_t> bytes);
    /// 0x0a600001 is 10.96.0.1.
    static Address v4(std::uint32_t number);
    /// "::"
    static Address any_v6();

    bool is_v6() const { return v6_; }
    bool is_v4() const { return !v6_; }
    /// How many bits it has: 32 or 128.
    int bits() const { return v6_ ? 128 : 32; }
    /// Gives 4 or 16 bytes in network order.
    std::span<const std::uint8_t> bytes() const { return std::span(bytes_).first(v6_ ? 16 : 4); }
    /// The same in 16 bytes, an IPv4 address in the first four (union nf_inet_addr of the kernel).
    const std::array<std::uint8_t, 16>& padded() const { return bytes_; }
    /// The number of an IPv4 address: what v4() makes it of.
    std::uint32_t number() const { return boost::endian::load_big_u32(bytes_.data()); }

    bool is_unspecified() const { return bytes_ == decltype(bytes_){}; }
    /// 127.0.0.0/8 or ::1.
    bool is_loopback() const;
    /// 224.0.0.0/4 or ff00::/8.
    bool is_multicast() const { return v6_ ? bytes_[0] == 0xff : bytes_[0] >> 4 == 0xe; }
    /// 169.254.0.0/16 or fe80::/10.
    bool is_link_local() const;
    /// ::ffff:0:0/96: an IPv4 address in the form of IPv6, which is in the last four bytes.
    bool is_v4_mapped() const;

    /// Writes it as inet_ntop(3) does: "10.96.0.1", "fd00::1", "::ffff:10.96.0.1".
    std::string to_string() const;

    bool operator==(const Address&) const = default;
    /// IPv4 first, then by number.
    std::strong_ordering operator<=>(const Address& other) const {
        if (v6_ != other.v6_)
            return v6_ <=> other.v6_;
        if (const auto order = half(0) <=> other.half(0); order != 0)
            return order;
        return half(8) <=> other.half(8);
    }

private:
    std::uint64_t half(std::size_t at) const { return boost::endian::load_big_u64(bytes_.data() + at); }

    std::array<std::uint8_t, 16> bytes_{};
    bool v6_ = false;
};

/// Reads as inet_pton(3) does: no leading zeros, no zone, nothing around it.
std::optional<Address> parse_address(std::string_view text);

/// The same of a text that is known to be one. Throws std::invalid_argument for any other.
Address make_address(std::string_view text);

}  // namespace base
