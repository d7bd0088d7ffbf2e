// base::Address from and to Boost.Asio's, for where sockets are.
#pragma once

#include <boost/asio/ip/address.hpp>

#include "base/address.hpp"

namespace base {

boost::asio::ip::address to_asio(const Address& address);

/// Its zone, if it has one, is left out.
Address from_asio(const boost::asio::ip::address& address);

}  // namespace base
