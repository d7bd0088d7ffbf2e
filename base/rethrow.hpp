// What ends a coroutine that should run for good ends the program too, when boost::asio::co_spawn is given this.
#pragma once

#include <exception>

namespace base {

/// Throws the exception again, into whoever runs the loop.
inline constexpr auto rethrow = [](const std::exception_ptr& error) {
    if (error)
        std::rethrow_exception(error);
};

}  // namespace base
