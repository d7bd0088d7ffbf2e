// Runs a program and reads what it prints, without holding up the event loop.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace api {

struct Program {
    std::string command;  ///< looked up in PATH when it has no slash
    std::vector<std::string> arguments;
    std::vector<std::pair<std::string, std::string>> environment;  ///< besides our own
};

/// The most that a program may print.
inline constexpr std::size_t longest_output = std::size_t{1} * 1024 * 1024;

/// Its standard output; of its standard error the first words are in the error, when it fails. An error when it cannot
/// be started, fails, prints too much, or is not done within the limit; then it is killed, with all that it has
/// started.
boost::asio::awaitable<tl::expected<std::string, std::string>> run_program(boost::asio::io_context& context,
                                                                           Program program, std::chrono::seconds limit);

}  // namespace api
