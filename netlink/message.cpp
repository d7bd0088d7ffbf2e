#include "netlink/message.hpp"

#include <sys/socket.h>

#include <cstring>
#include <new>

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
    header_ = nlmsg_hdr(message_.get());
    most_ = nlmsg_get_max_size(message_.get());
}

void Message::Free::operator()(nl_msg* message) const {
    if (nlmsg_get_max_size(message) != usual_size)
        return nlmsg_free(message);
    nlmsghdr* header = nlmsg_hdr(message);
    std::memset(header, 0, header->nlmsg_len);  // libnl does not write every byte of a header
    header->nlmsg_len = NLMSG_HDRLEN;
    spare.reset(message);
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

int family_of(const Address& address) {
    return address.is_v6() ? AF_INET6 : AF_INET;
}

}  // namespace netlink
