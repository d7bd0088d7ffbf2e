// An IP address as a kernel object has it: 17 bytes and quick to compare, where Boost.Asio's has 28, with a scope that
// no kernel object of ours has. Tens of thousands of them are keys of ordered maps.
#pragma once

#include <array>
#include <boost/asio/ip/address.hpp>
#include <boost/endian/conversion.hpp>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace netlink {

class Address {
public:
    /// 0.0.0.0
    Address() = default;
    Address(const boost::asio::ip::address& address);
    Address(const boost::asio::ip::address_v4& address) : Address(boost::asio::ip::address(address)) {}
    Address(const boost::asio::ip::address_v6& address) : Address(boost::asio::ip::address(address)) {}
    /// From network order: 4 or 16 bytes.
    explicit Address(std::span<const std::uint8_t> bytes);
    /// "::"
    static Address any_v6() { return boost::asio::ip::address_v6(); }

    bool is_v6() const { return v6_; }
    bool is_v4() const { return !v6_; }
    /// In network order: 4 or 16 bytes.
    std::span<const std::uint8_t> bytes() const { return std::span(bytes_).first(v6_ ? 16 : 4); }
    /// The same in 16 bytes, an IPv4 address in the first four (union nf_inet_addr of the kernel).
    const std::array<std::uint8_t, 16>& padded() const { return bytes_; }

    boost::asio::ip::address to_asio() const;
    std::string to_string() const { return to_asio().to_string(); }

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

}  // namespace netlink
