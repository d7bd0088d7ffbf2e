#include "proxy/edge/file_source.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <filesystem>
#include <utility>

#include "api/folder/inotify.hpp"
#include "base/file.hpp"
#include "proxy/log/log.hpp"
#include "proxy/sync/spawn.hpp"

namespace proxy {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr auto retry = 1s;  // of a file that cannot be read, or a folder that is not there

EdgeFile read_file(const std::string& path) {
    const auto text = base::read_file(path, longest_edge_file);
    if (text)
        return read_edge_file(*text, path);
    EdgeFile result;
    result.readable = false;
    result.problems.push_back({{path, 0}, "", "cannot be read: " + text.error().message(), false});
    return result;
}

asio::awaitable<EdgeFile> on_this_thread(std::string path) {
    co_return read_file(path);
}

}  // namespace

void apply_file(EdgeFile file, Balancer& balancer) {
    balancer.set_input_problems(std::move(file.problems));
    if (!file.readable)
        return;
    std::set<api::ObjectName> gone = file.nameless ? std::set<api::ObjectName>{} : balancer.names();
    for (const api::ObjectName& name : file.mistaken)
        gone.erase(name);
    for (Balanced& balanced : file.front_ends) {
        gone.erase(balanced.service.name);
        balancer.put(std::move(balanced));
    }
    for (const api::ObjectName& name : gone)
        balancer.remove(name);
}

FileSource::FileSource(asio::io_context& context, const Config& config, Metrics& metrics, std::string path)
    : context_(context), debounce_(config.folder_debounce), path_(std::move(path)), loop_(context, config, metrics) {}

std::string FileSource::waiting_for() const {
    return was_read_ ? loop_.waiting_for() : path_ + ", which cannot be read as an edge's file";
}

/// Until the file says something, the kernel stays as it is.
asio::awaitable<void> FileSource::run(api::OnTransaction deliver) {
    deliver_ = std::move(deliver);
    co_await watch();
}

asio::awaitable<void> FileSource::read() {
    EdgeFile file = co_await asio::co_spawn(pool_, on_this_thread(path_), asio::use_awaitable);
    const bool readable = file.readable;
    std::size_t mistakes = 0;
    for (const api::Problem& problem : file.problems) {
        mistakes += problem.warning ? 0 : 1;
        if (!was_read_)
            log::write(problem.warning ? log::Level::warning : log::Level::error, api::to_string(problem));
    }
    if (was_read_)
        log::info("the front ends have been read again", {{"file", path_},
                                                          {"front_ends", std::to_string(file.front_ends.size())},
                                                          {"mistakes", std::to_string(mistakes)}});
    apply_file(std::move(file), loop_.balancer());
    loop_.changed();
    if (readable && !std::exchange(was_read_, true))
        spawn(context_, loop_.run(std::move(deliver_)));
}

/// Watches first, so that nothing that changes while it is read is missed. The file may be a link that is exchanged, as
/// in a ConfigMap's volume: then anything may have changed.
asio::awaitable<void> FileSource::watch() {
    const std::filesystem::path path(path_);
    const std::string folder = path.has_parent_path() ? path.parent_path().string() : ".";
    const std::string file = path.filename().string();
    api::Inotify inotify(context_);
    asio::steady_timer timer(context_);
    for (;;) {
        const bool watched = inotify.watch(folder).empty();
        co_await read();
        if (!watched || !was_read_) {
            timer.expires_after(retry);
            co_await timer.async_wait(asio::use_awaitable);
            continue;
        }
        for (bool news = false; !news;) {
            const api::FolderEvents events = co_await inotify.next();
            news = events.all || events.names.contains(file) || events.names.contains("..data");
        }
        timer.expires_after(debounce_);
        co_await timer.async_wait(asio::use_awaitable);
    }
}

}  // namespace proxy
