#include "proxy/controller/pool_file.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <filesystem>

#include "api/folder/inotify.hpp"
#include "base/file.hpp"

namespace proxy {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

asio::awaitable<void> sleep(asio::io_context& context, std::chrono::milliseconds time) {
    asio::steady_timer timer(context, time);
    boost::system::error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

}  // namespace

bool PoolFile::read() {
    const auto text = base::read_file(path_);
    if (!text) {
        problem_ =
            path_ + (text.error() == std::errc::file_too_large ? ": is longer than 1 MiB; is it the right file?\n"
                                                               : ": cannot be read (" + text.error().message() + ")\n");
        return false;
    }
    auto config = read_pool_config(*text, path_);
    if (!config) {
        problem_ = config.error();
        return false;
    }
    problem_.clear();
    if (config_ == *config)
        return false;
    config_ = std::move(*config);
    return true;
}

asio::awaitable<void> watch_file(asio::io_context& context, std::string path, std::function<void()> changed) {
    const std::filesystem::path folder = std::filesystem::absolute(path).parent_path();
    for (;;) {
        api::Inotify inotify(context);
        if (!inotify.watch(folder.string()).empty()) {
            co_await sleep(context, 10s);
            changed();
            continue;
        }
        changed();  // what has come before we watched
        for (bool all = false; !all;) {
            all = (co_await inotify.next()).all;
            co_await sleep(context, 200ms);  // a file is seldom written in one go
            changed();
        }
    }
}

}  // namespace proxy
