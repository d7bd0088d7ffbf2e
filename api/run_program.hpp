// Runs a program and reads what it prints, without holding up the event loop.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
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

/// Its standard output; its standard error is ours. An error when it cannot be started, fails, or is not done within
/// the limit; then it is killed.
boost::asio::awaitable<tl::expected<std::string, std::string>> run_program(boost::asio::io_context& context,
                                                                           Program program, std::chrono::seconds limit);

}  // namespace api
