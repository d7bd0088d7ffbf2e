#include "base/asio_address.hpp"

#include <algorithm>

namespace base {

namespace ip = boost::asio::ip;

ip::address to_asio(const Address& address) {
    if (address.is_v6())
        return ip::address_v6(address.padded());
    return ip::address_v4(address.number());
}

Address from_asio(const ip::address& address) {
    if (address.is_v6())
        return Address(address.to_v6().to_bytes());
    return Address::v4(address.to_v4().to_uint());
}

}  // namespace base
