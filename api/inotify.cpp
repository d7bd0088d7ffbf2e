#include "api/inotify.hpp"

#include <sys/inotify.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace api {
namespace {

namespace asio = boost::asio;

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
    if (watch_ >= 0)
        ::inotify_rm_watch(descriptor_.native_handle(), watch_);
    watch_ = ::inotify_add_watch(descriptor_.native_handle(), folder.c_str(), interesting);
    return watch_ >= 0 ? "" : std::strerror(errno);
}

asio::awaitable<FolderEvents> Inotify::next() {
    alignas(inotify_event) char buffer[16 * 1024];
    boost::system::error_code error;
    const std::size_t size =
        co_await descriptor_.async_read_some(asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, error));
    FolderEvents events;
    if (error) {
        events.all = true;
        co_return events;
    }
    for (std::size_t at = 0; at + sizeof(inotify_event) <= size;) {
        const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
        at += sizeof(inotify_event) + event->len;
        const bool of_folder = (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)) != 0;
        const std::string name = event->len > 0 ? event->name : "";
        if ((event->mask & IN_Q_OVERFLOW) != 0 || (of_folder && event->wd == watch_) || name == "..data")
            events.all = true;  // "..data" is the link by which Kubernetes swaps a mounted ConfigMap
        else if (!name.empty())
            events.names.insert(name);
    }
    co_return events;
}

}  // namespace api
