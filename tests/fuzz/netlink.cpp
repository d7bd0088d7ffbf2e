// Whatever comes out of a netlink socket: no read behind what has come, no crash. The first two bytes are the type of a
// message whose body is the rest; the same bytes are read as messages too.
#include <cstdint>
#include <cstring>
#include <vector>

#include "tests/support/netlink_parsers.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::vector<char> raw(data, data + size);
    raw.shrink_to_fit();
    netlink::for_each_message(raw, support::read_as_anything);
    if (size < 2)
        return 0;
    std::vector<char> one(sizeof(nlmsghdr) + size - 2);
    nlmsghdr header{static_cast<std::uint32_t>(one.size()), 0, 0, 0, 0};
    std::memcpy(&header.nlmsg_type, data, 2);
    std::memcpy(one.data(), &header, sizeof(header));
    std::memcpy(one.data() + sizeof(header), data + 2, size - 2);
    netlink::for_each_message(one, support::read_as_anything);
    return 0;
}
