#include "api/run_program.hpp"

#include <linux/close_range.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/process/args.hpp>
#include <boost/process/async_pipe.hpp>
#include <boost/process/child.hpp>
#include <boost/process/env.hpp>
#include <boost/process/environment.hpp>
#include <boost/process/extend.hpp>
#include <boost/process/io.hpp>
#include <boost/process/search_path.hpp>
#include <filesystem>
#include <memory>

namespace api {

namespace asio = boost::asio;
namespace process = boost::process;

namespace {

/// Shared with the timer, whose handler may run after all else has ended.
struct Running {
    explicit Running(asio::io_context& context) : output(context) {}

    void kill() {
        std::error_code ignored;
        too_long = true;
        child.terminate(ignored);
        output.close();
    }

    process::async_pipe output;
    process::child child;
    bool too_long = false;
};

/// Our sockets are not the program's: one that outlives us would hold our ports. (Linux 5.11; older kernels hand them
/// on.)
const auto own_descriptors_stay = process::extend::on_exec_setup = [](auto&) {
    constexpr unsigned first_after_standard = 3;
    ::syscall(SYS_close_range, first_after_standard, ~0U, CLOSE_RANGE_CLOEXEC);
};

}  // namespace

asio::awaitable<tl::expected<std::string, std::string>> run_program(asio::io_context& context, Program program,
                                                                    std::chrono::seconds limit) {
    std::filesystem::path path = program.command;
    if (program.command.find('/') == std::string::npos)
        path = process::search_path(program.command);
    if (path.empty())
        co_return tl::unexpected(program.command + ": not found in PATH");
    process::environment environment = boost::this_process::environment();
    for (const auto& [name, value] : program.environment)
        environment[name] = value;
    const auto running = std::make_shared<Running>(context);
    std::error_code failed;
    running->child =
        process::child(path, process::args(program.arguments), environment,
                       process::std_in<process::null, process::std_out> running->output, own_descriptors_stay, failed);
    if (failed)
        co_return tl::unexpected(path.string() + ": " + failed.message());
    asio::steady_timer timer(context, limit);
    timer.async_wait([running](const boost::system::error_code& cancelled) {
        if (!cancelled)
            running->kill();
    });
    std::string text;
    boost::system::error_code end;
    co_await asio::async_read(running->output, asio::dynamic_buffer(text),
                              asio::redirect_error(asio::use_awaitable, end));
    // It may have closed its output and still run: the limit counts.
    asio::steady_timer pause(context);
    while (!running->too_long && running->child.running(failed)) {
        pause.expires_after(std::chrono::milliseconds(10));
        co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, end));
    }
    timer.cancel();
    if (running->too_long)
        co_return tl::unexpected(path.string() + ": not done within " + std::to_string(limit.count()) + " s");
    running->child.wait(failed);
    if (running->child.exit_code() != 0)
        co_return tl::unexpected(path.string() + ": exit status " + std::to_string(running->child.exit_code()));
    co_return text;
}

}  // namespace api
