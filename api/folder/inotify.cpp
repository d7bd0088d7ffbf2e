#include "api/folder/inotify.hpp"

#include "api/folder/path_links.hpp"

#include <sys/inotify.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace api {
namespace {

namespace asio = boost::asio;

/// What matters of a folder that a link of the path is in.
constexpr std::uint32_t exchange = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR | IN_MASK_ADD;
constexpr std::uint32_t interesting = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_ATTRIB |
                                      IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

int open_inotify() {
    const int descriptor = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (descriptor < 0)
        throw std::system_error(errno, std::system_category(),
                                "inotify (see the sysctl fs.inotify.max_user_instances)");
    return descriptor;
}

}  // namespace

Inotify::Inotify(asio::io_context& context) : descriptor_(context, open_inotify()) {}

std::string Inotify::watch(const std::string& folder) {
    const int inotify = descriptor_.native_handle();
    if (watch_ >= 0)
        ::inotify_rm_watch(inotify, watch_);
    for (const auto& [watch, names] : links_)
        if (watch != watch_)
            ::inotify_rm_watch(inotify, watch);
    links_.clear();
    watch_ = ::inotify_add_watch(inotify, folder.c_str(), interesting);
    const std::string problem = watch_ >= 0 ? "" : std::strerror(errno);
    watch_links(folder);
    return problem;
}

void Inotify::watch_links(const std::string& folder) {
    for (const PathLink& link : links_of(folder)) {
        const int watch = ::inotify_add_watch(descriptor_.native_handle(), link.folder.c_str(), exchange);
        if (watch >= 0)
            links_[watch].insert(link.name);
    }
}

void Inotify::read_events(const char* buffer, std::size_t size, FolderEvents& events) const {
    for (std::size_t at = 0; at + sizeof(inotify_event) <= size;) {
        const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
        at += sizeof(inotify_event) + event->len;
        const bool of_folder = (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)) != 0;
        const std::string name = event->len > 0 ? event->name : "";
        const auto links = links_.find(event->wd);
        if (links != links_.end() && links->second.contains(name))
            events.all = true;
        if ((event->mask & IN_Q_OVERFLOW) != 0 || (of_folder && event->wd == watch_))
            events.all = true;
        else if (!name.empty() && event->wd == watch_)
            events.names.insert(name);
    }
}

asio::awaitable<FolderEvents> Inotify::next() {
    alignas(inotify_event) char buffer[16 * 1024];
    FolderEvents events;
    while (!events.all && events.names.empty()) {
        boost::system::error_code error;
        const std::size_t size = co_await descriptor_.async_read_some(asio::buffer(buffer),
                                                                      asio::redirect_error(asio::use_awaitable, error));
        if (error)
            events.all = true;
        else
            read_events(buffer, size, events);
    }
    co_return events;
}

}  // namespace api
