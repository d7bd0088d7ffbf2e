// Takes SIGHUP: reads the configuration again, puts in force what can be, and says what needs a restart.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "proxy/host/service_manager.hpp"
#include "proxy/node/node.hpp"

namespace proxy {

/// Runs until the context ends. A configuration with mistakes changes nothing.
boost::asio::awaitable<void> reload_on_hangup(boost::asio::io_context& context, const NodeOptions& options,
                                              const ServiceManager& manager);

}  // namespace proxy
