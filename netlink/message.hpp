// Netlink messages built with libnl, and a batch of them ready to be sent.
#pragma once

#include <netlink/attr.h>
#include <netlink/msg.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <stdexcept>
#include <vector>

#include "base/address.hpp"

namespace netlink {

using base::Address;

/// An nl_msg that owns itself. Throws std::bad_alloc when libnl cannot allocate. Those of the usual size are used
/// again: at a full start there are tens of thousands of them, one at a time.
class Message {
public:
    static constexpr std::size_t usual_size = 512;
    explicit Message(std::size_t size = usual_size);
    nl_msg* get() const { return message_.get(); }
    nlmsghdr* header() const { return header_; }
    /// The message's end, at which there is room for so many bytes from now on. Throws std::length_error.
    char* extend(std::size_t size) const {
        const std::size_t start = NLMSG_ALIGN(header_->nlmsg_len);
        const std::size_t end = start + NLMSG_ALIGN(size);
        if (end > most_)
            throw std::length_error("netlink message");
        header_->nlmsg_len = static_cast<std::uint32_t>(end);
        return reinterpret_cast<char*>(header_) + start;
    }

private:
    struct Free {
        void operator()(nl_msg* message) const;
    };
    std::unique_ptr<nl_msg, Free> message_;
    nlmsghdr* header_;
    std::size_t most_;
};

/// Attributes as nla_put() and nla_nest_start() of libnl write them, for a tenth of their instructions: those of real
/// servers and elements are the most of a start. Throws std::length_error when the message is full.
inline void put(const Message& message, int attribute, const void* data, std::size_t size) {
    char* place = message.extend(NLA_HDRLEN + size);
    const nlattr head{static_cast<std::uint16_t>(NLA_HDRLEN + size), static_cast<std::uint16_t>(attribute)};
    std::memcpy(place, &head, sizeof(head));
    if (size > 0)
        std::memcpy(place + NLA_HDRLEN, data, size);  // what pads it is zero already
}
inline void put_u16(const Message& message, int attribute, std::uint16_t value) {
    put(message, attribute, &value, sizeof(value));
}
inline void put_u32(const Message& message, int attribute, std::uint32_t value) {
    put(message, attribute, &value, sizeof(value));
}
inline void put_address(const Message& message, int attribute, const Address& address) {
    put(message, attribute, address.bytes().data(), address.bytes().size());
}

/// What is put into the message while it lives is inside the attribute.
class Nest {
public:
    Nest(const Message& message, int attribute)
        : header_(message.header()), start_(NLMSG_ALIGN(message.header()->nlmsg_len)) {
        put(message, attribute | NLA_F_NESTED, nullptr, 0);
    }
    ~Nest() {
        const auto length = static_cast<std::uint16_t>(header_->nlmsg_len - start_);
        std::memcpy(reinterpret_cast<char*>(header_) + start_, &length, sizeof(length));  // nla_len comes first
    }
    Nest(const Nest&) = delete;
    Nest& operator=(const Nest&) = delete;

private:
    nlmsghdr* header_;
    std::uint32_t start_;
};

/// Messages back to back, as the kernel reads them.
class Batch {
public:
    /// Copies the message; NLM_F_REQUEST is added, NLM_F_ACK is the socket's business.
    void append(const Message& message);
    std::size_t size() const { return starts_.size(); }
    /// It holds as much as goes into one call; one more message would make it too long.
    bool full() const { return bytes_.size() + Message::usual_size > most; }
    void clear();

    std::vector<char>& bytes() { return bytes_; }
    /// The offset at which message `index` starts; for index == size(): the end.
    std::size_t start(std::size_t index) const { return index == starts_.size() ? bytes_.size() : starts_[index]; }

private:
    static constexpr std::size_t most = std::size_t{64} * 1024;

    std::vector<char> bytes_;
    std::vector<std::size_t> starts_;
};

/// AF_INET or AF_INET6.
int family_of(const Address& address);

}  // namespace netlink
