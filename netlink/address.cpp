#include "netlink/address.hpp"

#include <algorithm>

namespace netlink {

namespace ip = boost::asio::ip;

Address::Address(const ip::address& address) : v6_(address.is_v6()) {
    if (v6_) {
        bytes_ = address.to_v6().to_bytes();
    } else {
        const auto bytes = address.to_v4().to_bytes();
        std::copy(bytes.begin(), bytes.end(), bytes_.begin());
    }
}

Address::Address(std::span<const std::uint8_t> bytes) : v6_(bytes.size() == 16) {
    std::copy(bytes.begin(), bytes.end(), bytes_.begin());
}

ip::address Address::to_asio() const {
    if (v6_)
        return ip::address_v6(bytes_);
    return ip::address_v4({bytes_[0], bytes_[1], bytes_[2], bytes_[3]});
}

}  // namespace netlink
