// The kernel's notifications about one folder.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <map>
#include <set>
#include <string>

namespace api {

struct FolderEvents {
    std::set<std::string> names;  ///< files written, moved or deleted
    bool all = false;             ///< anything may have changed: events were lost, or the folder was moved
    void add(FolderEvents other) {
        names.merge(other.names);
        all = all || other.all;
    }
};

class Inotify {
public:
    explicit Inotify(boost::asio::io_context& context);

    /// Watches the folder (again), and the symbolic links by which its path leads there: git-sync exchanges one. An
    /// empty text, or why that is not possible.
    std::string watch(const std::string& folder);

    /// Waits for the next events that are about the folder.
    boost::asio::awaitable<FolderEvents> next();

private:
    void watch_links(const std::string& folder);
    void read_events(const char* buffer, std::size_t size, FolderEvents& events) const;

    boost::asio::posix::stream_descriptor descriptor_;
    int watch_ = -1;
    std::map<int, std::set<std::string>> links_;  // names of links, by the watch of the folder they are in
};

}  // namespace api
