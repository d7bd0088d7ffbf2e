#include "api/cluster/run_program.hpp"

#include <linux/close_range.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
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
#include <csignal>
#include <filesystem>
#include <memory>

namespace api {

namespace asio = boost::asio;
namespace process = boost::process;

namespace {

constexpr std::size_t longest_words = 400;

/// Shared with the timer, whose handler may run after all else has ended.
struct Running : std::enable_shared_from_this<Running> {
    explicit Running(asio::io_context& context) : output(context), errors(context) {}

    /// Whoever waits for the program may be let go at any time, with the event loop.
    ~Running() {
        if (!finished)
            end_group();
    }

    void kill(std::string why) {
        ended_for = std::move(why);
        end_group();
        output.close();
        errors.close();
    }

    /// Its words for people, of which the first are enough; it may say more without having to wait.
    void hear_errors() {
        errors.async_read_some(
            asio::buffer(bytes), [self = shared_from_this()](const boost::system::error_code& error, std::size_t size) {
                self->said.append(self->bytes.data(), std::min(size, longest_words - self->said.size()));
                self->said_all = error.failed();
                if (!error)
                    self->hear_errors();
            });
    }

    /// ": no token in the cache", on one line; empty: it has said nothing.
    std::string last_words() const {
        const auto end = said.find_last_not_of(" \t\r\n");
        if (end == std::string::npos)
            return {};
        std::string text = ": " + said.substr(0, end + 1);
        std::replace_if(
            text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 127; }, ' ');
        return text;
    }

    void end_group() {
        std::error_code ignored;
        finished = true;
        if (!child.valid())
            return;
        ::kill(-child.id(), SIGKILL);
        child.wait(ignored);
    }

    process::async_pipe output;
    process::async_pipe errors;
    std::array<char, 1024> bytes{};
    std::string said;
    bool said_all = false;
    process::child child;
    bool finished = false;
    std::string ended_for;  // by us; empty: it was not
};

/// Our sockets are not the program's: one that outlives us would hold our ports. (Linux 5.11; older kernels hand them
/// on.) It leads a process group, so that all that it starts can be ended with it.
const auto on_its_own = process::extend::on_exec_setup = [](auto&) {
    ::setpgid(0, 0);
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
    running->child = process::child(path, process::args(program.arguments), environment,
                                    process::std_in<process::null, process::std_out> running->output,
                                    process::std_err > running->errors, on_its_own, failed);
    if (failed)
        co_return tl::unexpected(path.string() + ": " + failed.message());
    running->hear_errors();
    asio::steady_timer timer(context, limit);
    timer.async_wait([running, limit](const boost::system::error_code& cancelled) {
        if (!cancelled)
            running->kill("not done within " + std::to_string(limit.count()) + " s");
    });
    std::string text;
    boost::system::error_code end;
    co_await asio::async_read(running->output, asio::dynamic_buffer(text, longest_output + 1),
                              asio::redirect_error(asio::use_awaitable, end));
    if (text.size() > longest_output)
        running->kill("prints more than 1 MiB");
    // It may have closed its output and still run: the limit counts.
    asio::steady_timer pause(context);
    while (running->ended_for.empty() && running->child.running(failed)) {
        pause.expires_after(std::chrono::milliseconds(10));
        co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, end));
    }
    timer.cancel();
    if (!running->ended_for.empty())
        co_return tl::unexpected(path.string() + ": " + running->ended_for);
    running->child.wait(failed);
    running->finished = true;
    for (int i = 0; i < 20 && running->child.exit_code() != 0 && !running->said_all; ++i) {
        pause.expires_after(std::chrono::milliseconds(10));
        co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, end));
    }
    running->errors.close();
    if (running->child.exit_code() != 0)
        co_return tl::unexpected(path.string() + ": exit status " + std::to_string(running->child.exit_code()) +
                                 running->last_words());
    co_return text;
}

}  // namespace api
