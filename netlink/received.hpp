// What has come out of a netlink socket. It is the kernel's, but believed only as far as its lengths go: nothing here
// reads behind a message, a body or an attribute, whatever they say of themselves.
#pragma once

#include <netlink/attr.h>
#include <netlink/msg.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

#include "base/address.hpp"

namespace netlink {

using base::Address;

/// Calls `visit(nlmsghdr*)` for each message, until one does not fit into what has come. `bytes` are aligned as a
/// nlmsghdr.
template <class Visit>
void for_each_message(std::span<char> bytes, Visit visit) {
    while (bytes.size() >= sizeof(nlmsghdr)) {
        auto* header = reinterpret_cast<nlmsghdr*>(bytes.data());
        const std::size_t length = header->nlmsg_len;
        if (length < sizeof(nlmsghdr) || length > bytes.size())
            return;
        visit(header);
        bytes = bytes.subspan(std::min(bytes.size(), std::size_t{NLMSG_ALIGN(length)}));
    }
}

/// What comes before the attributes; nullopt when the message is too short for it.
template <class Body>
std::optional<Body> body_of(const nlmsghdr* header) {
    static_assert(std::is_trivially_copyable_v<Body>);
    if (header->nlmsg_len < NLMSG_LENGTH(sizeof(Body)))
        return std::nullopt;
    Body body;
    std::memcpy(&body, NLMSG_DATA(header), sizeof(body));
    return body;
}

/// The attributes behind a body, by number; what is there of them when one does not fit. nullopt when the message is
/// too short for the body.
template <class Body, int Most>
std::optional<std::array<nlattr*, Most + 1>> attributes_of(nlmsghdr* header) {
    std::array<nlattr*, Most + 1> found{};
    if (header->nlmsg_len < NLMSG_LENGTH(sizeof(Body)) ||
        nlmsg_parse(header, sizeof(Body), found.data(), Most, nullptr) < 0)
        return std::nullopt;
    return found;
}

/// The bytes of an attribute; empty when there is none.
inline std::span<const std::uint8_t> bytes_of(const nlattr* attribute) {
    if (attribute == nullptr)
        return {};
    return {static_cast<const std::uint8_t*>(nla_data(attribute)), static_cast<std::size_t>(nla_len(attribute))};
}

/// A number of exactly this size, or a struct of at least its size; nullopt when there is none or it has another size.
template <class Value>
std::optional<Value> value_of(const nlattr* attribute) {
    static_assert(std::is_trivially_copyable_v<Value>);
    const auto bytes = bytes_of(attribute);
    if (attribute == nullptr || bytes.size() < sizeof(Value) ||
        (std::is_integral_v<Value> && bytes.size() != sizeof(Value)))
        return std::nullopt;
    Value value;
    std::memcpy(&value, bytes.data(), sizeof(value));
    return value;
}

/// nullopt when it is neither 4 nor 16 bytes long.
inline std::optional<Address> address_of(const nlattr* attribute) {
    const auto bytes = bytes_of(attribute);
    if (bytes.size() != 4 && bytes.size() != 16)
        return std::nullopt;
    return Address(bytes);
}

/// A text up to its end or to its zero.
inline std::string_view text_of(const nlattr* attribute) {
    const auto bytes = bytes_of(attribute);
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return text.substr(0, text.find('\0'));
}

/// The errno in an acknowledgement, an error or the end of a dump: 0 when there is none in it, EPROTO when it is none.
int error_of(const nlmsghdr* header);

/// One datagram.
struct Received {
    std::span<char> bytes;  ///< in the caller's buffer
    int error = 0;          ///< errno; EAGAIN: nothing has come, ENOBUFS: something was lost, EMSGSIZE: it is cut
};

/// The kernel's next datagram; what other processes send is thrown away.
Received receive_from_kernel(int socket, std::span<char> buffer);

}  // namespace netlink
