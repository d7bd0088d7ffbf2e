#include "netlink/message.hpp"

#include <sys/socket.h>

#include <cstring>
#include <new>
#include <stdexcept>

namespace netlink {
namespace {

struct FreeMessage {
    void operator()(nl_msg* message) const { nlmsg_free(message); }
};
/// A message that nobody needs now, of the usual size.
thread_local std::unique_ptr<nl_msg, FreeMessage> spare;

}  // namespace

Message::Message(std::size_t size) : message_(size == usual_size && spare ? spare.release() : nlmsg_alloc_size(size)) {
    if (!message_)
        throw std::bad_alloc();
}

void Message::Free::operator()(nl_msg* message) const {
    if (nlmsg_get_max_size(message) != usual_size)
        return nlmsg_free(message);
    nlmsghdr* header = nlmsg_hdr(message);
    std::memset(header, 0, header->nlmsg_len);  // libnl does not write every byte of a header
    header->nlmsg_len = NLMSG_HDRLEN;
    spare.reset(message);
}

void put(nl_msg* message, int attribute, const void* data, std::size_t size) {
    nlmsghdr* header = nlmsg_hdr(message);
    const std::size_t start = NLMSG_ALIGN(header->nlmsg_len);
    const std::size_t end = start + NLA_ALIGN(NLA_HDRLEN + size);
    if (end > nlmsg_get_max_size(message))
        throw std::length_error("netlink message");
    auto* place = reinterpret_cast<char*>(header) + start;
    const nlattr head{static_cast<std::uint16_t>(NLA_HDRLEN + size), static_cast<std::uint16_t>(attribute)};
    std::memcpy(place, &head, sizeof(head));
    if (size > 0)
        std::memcpy(place + NLA_HDRLEN, data, size);  // what pads it is zero already
    header->nlmsg_len = static_cast<std::uint32_t>(end);
}

void put_address(nl_msg* message, int attribute, const Address& address) {
    put(message, attribute, address.bytes().data(), address.bytes().size());
}

Nest::Nest(nl_msg* message, int attribute) : header_(nlmsg_hdr(message)), start_(NLMSG_ALIGN(header_->nlmsg_len)) {
    put(message, attribute | NLA_F_NESTED, nullptr, 0);
}

Nest::~Nest() {
    auto* place = reinterpret_cast<char*>(header_) + start_;
    const auto length = static_cast<std::uint16_t>(header_->nlmsg_len - start_);
    std::memcpy(place, &length, sizeof(length));  // nla_len comes first
}

void Batch::append(const Message& message) {
    nlmsghdr* header = message.header();
    header->nlmsg_flags |= NLM_F_REQUEST;
    const auto* begin = reinterpret_cast<const char*>(header);
    starts_.push_back(bytes_.size());
    bytes_.insert(bytes_.end(), begin, begin + header->nlmsg_len);
    bytes_.resize(NLMSG_ALIGN(bytes_.size()));
}

void Batch::clear() {
    bytes_.clear();
    starts_.clear();
}

Address address_from(const nlattr* attribute) {
    return Address(
        {static_cast<const std::uint8_t*>(nla_data(attribute)), static_cast<std::size_t>(nla_len(attribute))});
}

int family_of(const Address& address) {
    return address.is_v6() ? AF_INET6 : AF_INET;
}

}  // namespace netlink
