// Runs tasks of the loop whose failure is the program's.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <utility>

#include "base/rethrow.hpp"

namespace proxy {

/// Runs `task` on the loop; what it throws comes out of the loop's run().
inline void spawn(boost::asio::io_context& context, boost::asio::awaitable<void> task) {
    boost::asio::co_spawn(context, std::move(task), base::rethrow);
}

}  // namespace proxy
