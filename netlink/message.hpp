// Netlink messages built with libnl, and a batch of them ready to be sent.
#pragma once

#include <netlink/attr.h>
#include <netlink/msg.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "netlink/address.hpp"

namespace netlink {

/// An nl_msg that owns itself. Throws std::bad_alloc when libnl cannot allocate. Those of the usual size are used
/// again: at a full start there are tens of thousands of them, one at a time.
class Message {
public:
    static constexpr std::size_t usual_size = 512;
    explicit Message(std::size_t size = usual_size);
    nl_msg* get() const { return message_.get(); }
    nlmsghdr* header() const { return nlmsg_hdr(message_.get()); }

private:
    struct Free {
        void operator()(nl_msg* message) const;
    };
    std::unique_ptr<nl_msg, Free> message_;
};

/// Attributes as nla_put() and nla_nest_start() of libnl write them, for a fifth of their instructions: those of real
/// servers and elements are the most of a start. Throws std::length_error when the message is full.
void put(nl_msg* message, int attribute, const void* data, std::size_t size);
inline void put_u16(nl_msg* message, int attribute, std::uint16_t value) {
    put(message, attribute, &value, sizeof(value));
}
inline void put_u32(nl_msg* message, int attribute, std::uint32_t value) {
    put(message, attribute, &value, sizeof(value));
}
void put_address(nl_msg* message, int attribute, const Address& address);

/// What is put into the message while it lives is inside the attribute.
class Nest {
public:
    Nest(nl_msg* message, int attribute);
    ~Nest();
    Nest(const Nest&) = delete;
    Nest& operator=(const Nest&) = delete;

private:
    nlmsghdr* header_;
    std::uint32_t start_;
};

/// Messages back to back, as the kernel takes them.
class Batch {
public:
    /// Copies the message; NLM_F_REQUEST is added, NLM_F_ACK is the socket's business.
    void append(const Message& message);
    std::size_t size() const { return starts_.size(); }
    /// As much as goes into one call; one more message would make it too long.
    bool full() const { return bytes_.size() + Message::usual_size > most; }
    void clear();

    std::vector<char>& bytes() { return bytes_; }
    /// Where message `index` starts; for index == size(): the end.
    std::size_t start(std::size_t index) const { return index == starts_.size() ? bytes_.size() : starts_[index]; }

private:
    static constexpr std::size_t most = std::size_t{64} * 1024;

    std::vector<char> bytes_;
    std::vector<std::size_t> starts_;
};

/// The address in an attribute, whose length says the family.
Address address_from(const nlattr* attribute);

/// AF_INET or AF_INET6.
int family_of(const Address& address);

}  // namespace netlink
